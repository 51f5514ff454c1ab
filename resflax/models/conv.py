"""The convolution that every module of this project uses.

The forward pass is XLA's, on CPUs with zeros around an image that is smaller
than the kernel (`keep_roles`). The backward pass is written out for CPUs, where
XLA knows one fast form only (images NHWC, kernel HWIO, in the entry
computation); what autodiff writes for the kernel's gradient has other
dimension numbers and runs as naive loops when it is grouped or inside of a
loop. For other platforms both are XLA's and autodiff's, so their programs are
those of `nn.Conv` (tests/models/test_conv_programs.py). docs/results/conv.md
has the measurements.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from resflax.models.conv_gradients import (
  Window,
  convolve,
  gradients,
  is_smaller,
  keep_roles,
  pads_of,
)
from resflax.models.initializers import he_normal

Images = Float[Array, 'batch height width inputs']
Outputs = Float[Array, 'batch out_height out_width features']
Kernel = Float[Array, 'side side inputs_a_group features']


class Conv(nn.Module):
  """A square 2-D convolution without bias, for a norm follows it.

  Differs from `nn.Conv` in its padding: 'symmetric' pads both sides alike, as
  torch and the RS authors' TPU code, where 'same' (TensorFlow's, here for
  Model Garden's weights) puts the odd pixel of a strided one at the end.

  Attributes:
    features: of the output; a multiple of `groups`, as those of the input.
    kernel_size: odd.
    stride: see `Window`, as for dilation and groups.
    padding: 'symmetric' or 'same'.
    form: 'auto', or 'xla' for XLA's and autodiff's on every platform, which
      has a forward mode as well (Hessian products).
    kernel_init: of [side, side, inputs a group, features].
    dtype: of the computation and the output; parameters are float32.
  """

  features: int
  kernel_size: int
  stride: int = 1
  dilation: int = 1
  groups: int = 1
  padding: str = 'symmetric'
  form: str = 'auto'
  kernel_init: Callable = he_normal
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: Images) -> Outputs:
    side = self.kernel_size
    shape = (side, side, x.shape[-1] // self.groups, self.features)
    kernel = self.param('kernel', self.kernel_init, shape, jnp.float32)
    form = plain if self.form == 'xla' else convolution
    return form(
      jnp.asarray(x, self.dtype),
      jnp.asarray(kernel, self.dtype),
      self._window(x.shape[1:3]),
    )

  def _window(self, sides: tuple[int, ...]) -> Window:
    side = (self.kernel_size - 1) * self.dilation + 1
    padding = pads_of(self.padding, sides, side, self.stride)
    return Window(self.stride, self.dilation, padding, self.groups)


def plain(x: Images, kernel: Kernel, window: Window) -> Outputs:
  """Returns the convolution as XLA and autodiff have it."""
  return convolve(x, kernel, **_given(window))


def _given(window: Window) -> dict:
  return {
    'padding': window.padding,
    'stride': window.stride,
    'kernel_dilation': window.dilation,
    'groups': window.groups,
  }


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolution(x: Images, kernel: Kernel, window: Window) -> Outputs:
  """Returns the convolution; how it is done depends on the platform."""
  if not is_smaller(x, kernel, window.groups):
    return plain(x, kernel, window)

  def on_cpu(x, kernel):
    return keep_roles(x, kernel, **_given(window))

  def elsewhere(x, kernel):
    return plain(x, kernel, window)

  return lax.platform_dependent(x, kernel, cpu=on_cpu, default=elsewhere)


def _forward(x, kernel, window):
  return convolution(x, kernel, window), (x, kernel)


# Jitted, so that a net traces it once for each shape, not for each layer.
@functools.partial(jax.jit, static_argnums=0)
def _backward(window, saved, gradient):
  def autodiff(x, kernel, gradient):
    return jax.vjp(lambda *a: plain(*a, window), x, kernel)[1](gradient)

  def written_out(x, kernel, gradient):
    return gradients(x, kernel, gradient, window)

  return lax.platform_dependent(
    *saved, gradient, cpu=written_out, default=autodiff
  )


convolution.defvjp(_forward, _backward)
