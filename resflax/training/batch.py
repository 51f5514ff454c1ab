"""What happens to a batch on the device."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8


def normalise(
  images: UInt8[Array, 'batch height width channels'],
  mean: Sequence[float],
  std: Sequence[float],
  dtype: str = 'float32',
) -> Float[Array, 'batch height width channels']:
  """Returns (images / 255 - mean) / std.

  uint8 leaves the host, a quarter of the bytes; the arithmetic is float32
  whatever the result's type, for bfloat16 has no room for 255 levels.

  Args:
    images: as decoded, 0 to 255.
    mean: of each channel, in 0..1.
    std: of each channel, in 0..1.
    dtype: of the result.
  """
  mean = jnp.asarray(mean, jnp.float32)[None, None, None, :]
  std = jnp.asarray(std, jnp.float32)[None, None, None, :]
  return ((images.astype(jnp.float32) / 255 - mean) / std).astype(dtype)
