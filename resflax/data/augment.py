"""Which part of a training image is used, and whether it is mirrored.

Colours change by RandAugment alone; mixing, normalising and the like happen on
the device.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from resflax.data import crops, randaugment
from resflax.data.crops import Box
from resflax.data.randaugment import Image, RandAugment
from resflax.errors import UsageError, unknown

DRAWS = 2 * crops.ATTEMPTS + 3  # those of a crop, and the last for the flip
# Behind these are those of RandAugment.
CROPS = ('random_resized', 'pad', 'none')

NO_RANDAUGMENT = RandAugment()

_STREAM = 0  # the second word of the Philox key: one for each use of the seed


@dataclasses.dataclass(frozen=True)
class Augment:
  """How training images are cropped and flipped.

  Attributes:
    crop: `'random_resized'` for photos; `'pad'`, a shifted window, for small
      images whose object fills the frame; `'none'`, the centre square.
    flip: whether half of the images are mirrored. Not for digits or letters.
    area: bounds of the crop's share of the image's area (random_resized).
    ratio: bounds of the crop's width / height (random_resized).
    pad: furthest shift as a share of the side (pad): 0.125 is 4 of 32.
    randaugment: what else is done to the crop.

  Raises:
    UsageError: a value out of its range.
  """

  crop: str = 'random_resized'
  flip: bool = True
  area: tuple[float, float] = (0.08, 1.0)
  ratio: tuple[float, float] = (3 / 4, 4 / 3)
  pad: float = 0.125
  randaugment: RandAugment = NO_RANDAUGMENT

  def __post_init__(self):
    if self.crop not in CROPS:
      raise unknown('crop', self.crop, CROPS, 'augment.crop')
    if not 0 < self.area[0] <= self.area[1] <= 1:
      raise UsageError(
        f'config.augment.area={self.area}: two shares of the image, 0 < low '
        '<= high <= 1.'
      )
    if not 0 < self.ratio[0] <= self.ratio[1]:
      raise UsageError(
        f'config.augment.ratio={self.ratio}: two ratios, 0 < low <= high.'
      )
    if not 0 <= self.pad < 1:
      raise UsageError(
        f'config.augment.pad={self.pad}: a share of the side, 0 to 1.'
      )

  def __call__(
    self, draws: Sequence[float], height: int, width: int
  ) -> tuple[Box, bool]:
    """Chooses the box and whether to mirror it.

    Args:
      draws: `num_draws` uniforms of [0, 1), as from `uniforms`.
      height: of the source, in pixels.
      width: of the source, in pixels.
    """
    if self.crop == 'random_resized':
      box = crops.random_resized_box(
        draws, height, width, self.area, self.ratio
      )
    elif self.crop == 'pad':
      box = crops.shifted_box(draws, height, width, self.pad)
    else:
      box = crops.center_box(height, width)
    return box, self.flip and draws[DRAWS - 1] < 0.5

  @property
  def num_draws(self) -> int:
    """How many uniforms an example takes."""
    return DRAWS + self.randaugment.layers * randaugment.DRAWS

  def at(self, strength: float) -> 'Augment':
    """Returns it with RandAugment of a part of its magnitude."""
    weaker = dataclasses.replace(
      self.randaugment, magnitude=strength * self.randaugment.magnitude
    )
    return dataclasses.replace(self, randaugment=weaker)

  def distort(self, draws: Sequence[float], image: Image) -> Image:
    """Returns the crop after RandAugment."""
    return self.randaugment(draws[DRAWS:], image)


def uniforms(
  seed: int, examples: Sequence[tuple[int, int]], count: int = DRAWS
) -> Float[np.ndarray, 'examples draws']:
  """Draws one row of uniforms for each (epoch, example id).

  The first draws of a row do not depend on how many there are.

  Philox is a function of (key, counter): the seed is the key, and each example
  has the counter's upper half to itself, so a row does not depend on who asks,
  in which batch, or with which neighbours. Setting the counter costs 2 us an
  example, a new generator 10.
  """
  bits = np.random.Philox(key=[seed, _STREAM])
  generator, state = np.random.Generator(bits), bits.state
  rows = np.empty((len(examples), count))
  for row, (epoch, example) in zip(rows, examples, strict=True):
    state['state']['counter'][2:] = epoch, example
    bits.state = state
    generator.random(out=row)
  return rows
