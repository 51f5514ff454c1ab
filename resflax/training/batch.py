"""What happens to a batch on the device, from uint8 to the model's input."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from resflax.training.colour import color_jitter, pca_lighting
from resflax.training.erasing import random_erasing
from resflax.training.losses import Labels
from resflax.training.mixing import Targets, mix

Images = Float[Array, 'batch height width channels']
Pixels = UInt8[Array, 'batch height width channels']


@dataclasses.dataclass(frozen=True)
class Normalise:
  """Makes (images / 255 - mean) / std of uint8 images.

  uint8 leaves the host, a quarter of the bytes; the arithmetic is float32
  whatever the result's type, for bfloat16 has no room for 255 levels.

  Attributes:
    mean: of each channel, in 0..1.
    std: of each channel, in 0..1.
    dtype: of the result.
  """

  mean: Sequence[float]
  std: Sequence[float]
  dtype: str = 'float32'

  def __call__(self, images: Pixels) -> Images:
    return self.standardise(images.astype(jnp.float32) / 255).astype(self.dtype)

  def standardise(self, images: Images) -> Images:
    """Returns (images - mean) / std of float images in 0..1."""
    mean = jnp.asarray(self.mean, jnp.float32)[None, None, None, :]
    std = jnp.asarray(self.std, jnp.float32)[None, None, None, :]
    return (images - mean) / std


@dataclasses.dataclass(frozen=True)
class Distort:
  """Normalises a training batch and changes it at random.

  In the order of the fields; at 0 each costs nothing. A batch of each step is
  changed as a whole, so the result depends on (seed, step) alone, whatever the
  number of devices.

  Attributes:
    normalise: what it is between colours and erasing.
    color_jitter: strength, see `color_jitter`.
    lighting: standard deviation, see `pca_lighting`.
    erasing: probability, see `random_erasing`.
    mixup: alpha, see `mix`.
    cutmix: alpha, see `mix`.
  """

  normalise: Normalise
  color_jitter: float = 0.0
  lighting: float = 0.0
  erasing: float = 0.0
  mixup: float = 0.0
  cutmix: float = 0.0

  def __call__(
    self, key: PRNGKeyArray, images: Pixels, labels: Labels
  ) -> tuple[Images, Targets]:
    keys = jax.random.split(key, 4)
    images = images.astype(jnp.float32) / 255
    if self.color_jitter:
      images = color_jitter(keys[0], images, self.color_jitter)
    if self.lighting:
      images = pca_lighting(keys[1], images, self.lighting)
    images = self.normalise.standardise(images)
    if self.erasing:
      images = random_erasing(keys[2], images, self.erasing)
    images, targets = mix(
      keys[3], images, labels, mixup=self.mixup, cutmix=self.cutmix
    )
    return images.astype(self.normalise.dtype), targets
