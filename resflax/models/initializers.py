"""Initial values of kernels."""

import functools
import math

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

# Normal numbers are drawn in vectors of powers of two from here on.
_SMALLEST = 1 << 14


def normal(std: float):
  """Returns an initializer: normal with mean 0, not truncated."""

  def init(
    key: PRNGKeyArray, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
  ) -> Float[Array, '...']:
    return _shaped(_vector(key, math.prod(shape)), std, shape).astype(dtype)

  return init


def he_normal(
  key: PRNGKeyArray, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
) -> Float[Array, '...']:
  """Draws a kernel [..., inputs, outputs] with variance 2 / fan-out.

  Source: He et al. 2015 ("Delving Deep"), section 2.2, fan-out, normal and not
    truncated: what timm, torchvision and the ResNeXt authors use. The RS
    authors' code has TensorFlow's default instead (fan-in, scale 1,
    truncated).
  """
  fan_out = math.prod(shape[:-2]) * shape[-1]
  return normal(math.sqrt(2 / fan_out))(key, shape, dtype)


def he_normal_depthwise(
  key: PRNGKeyArray, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
) -> Float[Array, '...']:
  """Draws a depthwise kernel with variance 2 over the taps of a feature.

  Source: the EfficientNet authors' code, and timm: fan-out of a group.
  """
  return normal(math.sqrt(2 / math.prod(shape[:2])))(key, shape, dtype)


def _vector(key, count):
  """Returns at least so many standard normal numbers.

  XLA takes a third of a second to compile them, for each size anew; a network
  has dozens of kernel shapes, and these a handful of powers of two.
  """
  return _normals(key, max(_SMALLEST, 1 << (count - 1).bit_length()))


@functools.partial(jax.jit, static_argnums=1)
def _normals(key, size):
  return jax.random.normal(key, (size,))


@functools.partial(jax.jit, static_argnums=2)
def _shaped(vector, std, shape):
  return vector[: math.prod(shape)].reshape(shape) * std
