"""RandAugment as the ResNet-RS authors train with it, on uint8 images.

Source: Cubuk et al. 2019 (arXiv:1909.13719) for the idea; the operations and
  their strengths are those of the authors' code, see `distortions`. As there,
  each operation that is chosen is always applied, at the full magnitude.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from resflax.data import distortions
from resflax.data.distortions import Image
from resflax.errors import UsageError, unknown

DRAWS = 4  # a layer: the operation, its sign, and two for a place
# Pixels that translate moves by at level 10, by whose code.
TRANSLATE = {'tpu': 100, 'garden': 10}
CUTOUT = 40  # pixels to each side of the centre at level 10
# Pixels a side for which these are meant. On smaller images they move or cover
# all there is; `scaled` is their share of this side.
SIDE = 224
SOURCES = (*TRANSLATE, 'scaled')


@dataclasses.dataclass(frozen=True)
class RandAugment:
  """Applies random operations one after the other.

  Attributes:
    layers: how many; 0 = none.
    magnitude: their strength; 10 is the scale's end, the paper goes to 15.
    source: whose translate: 'tpu' (the authors' code) or 'garden' (Model
      Garden, a tenth of it), in pixels; or 'scaled', the authors' at 224
      pixels in proportion to the image, cutout too.

  Raises:
    UsageError: a value out of its range.
  """

  layers: int = 0
  magnitude: int | float = 10
  source: str = 'tpu'

  def __post_init__(self):
    if self.source not in SOURCES:
      field = 'augment.randaugment.source'
      raise unknown('source of RandAugment', self.source, SOURCES, field)
    if self.layers < 0 or not 0 <= self.magnitude <= 30:
      raise UsageError(
        f'augment.randaugment: layers={self.layers} must not be negative, and '
        f'magnitude={self.magnitude} must be 0 to 30.'
      )

  def __call__(self, draws: Sequence[float], image: Image) -> Image:
    """Returns the image after all layers.

    Args:
      draws: `DRAWS` uniforms of [0, 1) for each layer.
      image: uint8, grey or RGB.
    """
    if self.source == 'scaled':
      scale = min(image.shape[:2]) / SIDE
      translate, cutout = scale * TRANSLATE['tpu'], scale * CUTOUT
    else:
      translate, cutout = TRANSLATE[self.source], CUTOUT
    for layer in range(self.layers):
      which, *rest = draws[layer * DRAWS : (layer + 1) * DRAWS]
      name = NAMES[int(which * len(NAMES))]
      image = apply(name, image, self.magnitude, rest, translate, cutout)
    return image


def apply(
  name: str,
  image: Image,
  magnitude: int | float,
  draws: Sequence[float],
  translate: int | float,
  cutout: int | float = CUTOUT,
) -> Image:
  """Returns the image after one operation.

  Args:
    name: of `NAMES`.
    image: uint8, grey or RGB.
    magnitude: see `RandAugment`.
    draws: uniforms: the sign, and the centre's row and column.
    translate: pixels at level 10.
    cutout: pixels to each side of the centre at level 10.
  """
  level = magnitude / 10
  if name in _BY_LEVEL:
    return _BY_LEVEL[name](image, level)
  if name == 'Cutout':
    return distortions.cutout(image, int(level * cutout), *draws[1:])
  signed = level if draws[0] < 0.5 else -level
  return distortions.transformed(
    image, _MATRICES[name](image, signed, translate)
  )


_MATRICES = {
  'Rotate': distortions.rotation,
  'ShearX': lambda image, level, _: np.array([[1, level * 0.3, 0], [0, 1, 0]]),
  'ShearY': lambda image, level, _: np.array([[1, 0, 0], [level * 0.3, 1, 0]]),
  'TranslateX': lambda image, level, by: np.array(
    [[1, 0, level * by], [0, 1, 0]]
  ),
  'TranslateY': lambda image, level, by: np.array(
    [[1, 0, 0], [0, 1, level * by]]
  ),
}
_BY_LEVEL = {
  'AutoContrast': distortions.autocontrast,
  'Equalize': distortions.equalize,
  'Invert': distortions.invert,
  'Posterize': distortions.posterize,
  'Solarize': distortions.solarize,
  'SolarizeAdd': distortions.solarize_add,
  'Color': distortions.color,
  'Contrast': distortions.contrast,
  'Brightness': distortions.brightness,
  'Sharpness': distortions.sharpness,
}
NAMES = (
  *('AutoContrast', 'Equalize', 'Invert', 'Rotate', 'Posterize', 'Solarize'),
  *('Color', 'Contrast', 'Brightness', 'Sharpness', 'ShearX', 'ShearY'),
  *('TranslateX', 'TranslateY', 'Cutout', 'SolarizeAdd'),
)
