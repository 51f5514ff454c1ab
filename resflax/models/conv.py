"""The convolution that every module of this project uses.

The forward pass is XLA's. The backward pass is written out for CPUs, where
XLA knows one fast form only (images NHWC, kernel HWIO, in the entry
computation); what autodiff writes for the kernel's gradient has other
dimension numbers and runs as naive loops when it is grouped or inside of a
loop. For other platforms it is autodiff's, so their programs are those of
`nn.Conv` (tests/models/test_conv_programs.py). docs/results/conv.md has the
measurements.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from resflax.models.initializers import he_normal

Images = Float[Array, 'batch height width inputs']
Outputs = Float[Array, 'batch out_height out_width features']
Kernel = Float[Array, 'side side inputs_a_group features']

# Groups of fewer features than a vector register holds are faster as one
# dense convolution with a block-diagonal kernel (docs/results/conv.md).
_DENSE_BELOW = 8


class Window(NamedTuple):
  """How a kernel moves over an image.

  Attributes:
    stride: input pixels a side to one output pixel.
    dilation: input pixels between the kernel's taps.
    padding: pixels of zeros (before, after) the rows and the columns.
    groups: 1 = an ordinary convolution.
  """

  stride: int
  dilation: int
  padding: tuple[tuple[int, int], tuple[int, int]]
  groups: int


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
    form: 'auto', or 'xla' for autodiff's backward pass on every platform,
      which has a forward mode as well (Hessian products).
    dtype: of the computation and the output; parameters are float32.
  """

  features: int
  kernel_size: int
  stride: int = 1
  dilation: int = 1
  groups: int = 1
  padding: str = 'symmetric'
  form: str = 'auto'
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: Images) -> Outputs:
    side = self.kernel_size
    shape = (side, side, x.shape[-1] // self.groups, self.features)
    kernel = self.param('kernel', he_normal, shape, jnp.float32)
    convolve = plain if self.form == 'xla' else convolution
    return convolve(
      jnp.asarray(x, self.dtype),
      jnp.asarray(kernel, self.dtype),
      self._window(x.shape[1:3]),
    )

  def _window(self, sides: tuple[int, ...]) -> Window:
    reach = (self.kernel_size - 1) * self.dilation
    padding = ((reach // 2, reach // 2),) * 2
    if self.padding == 'same':
      padding = lax.padtype_to_pads(
        sides, (reach + 1,) * 2, (self.stride,) * 2, 'SAME'
      )
    return Window(self.stride, self.dilation, tuple(padding), self.groups)


def plain(x: Images, kernel: Kernel, window: Window) -> Outputs:
  """Returns the convolution as XLA and autodiff have it."""
  return _convolve(
    x,
    kernel,
    window.padding,
    stride=window.stride,
    kernel_dilation=window.dilation,
    groups=window.groups,
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolution(x: Images, kernel: Kernel, window: Window) -> Outputs:
  """Returns the convolution; its backward pass depends on the platform."""
  return plain(x, kernel, window)


def _forward(x, kernel, window):
  return plain(x, kernel, window), (x, kernel)


# Jitted, so that a net traces it once for each shape, not for each layer.
@functools.partial(jax.jit, static_argnums=0)
def _backward(window, saved, gradient):
  def autodiff(x, kernel, gradient):
    return jax.vjp(lambda *a: plain(*a, window), x, kernel)[1](gradient)

  def written_out(x, kernel, gradient):
    side, _, per_group, _ = kernel.shape
    if side == 1 and window.groups == 1:
      return _product_gradients(x, kernel, gradient, window)
    if window.groups > 1 and per_group < _DENSE_BELOW:
      return _dense_gradients(x, kernel, gradient, window)
    return (
      _input_gradient(x, kernel, gradient, window),
      _kernel_gradient(x, kernel, gradient, window),
    )

  return lax.platform_dependent(
    *saved, gradient, cpu=written_out, default=autodiff
  )


convolution.defvjp(_forward, _backward)


def _input_gradient(x, kernel, gradient, window):
  """The gradient, spread by the stride, through the kernel turned around."""
  side, _, per_group, features = kernel.shape
  groups = window.groups
  turned = (
    jnp.flip(kernel, (0, 1))
    .reshape(side, side, per_group, groups, features // groups)
    .transpose(0, 1, 4, 3, 2)
    .reshape(side, side, features // groups, groups * per_group)
  )
  reach = (side - 1) * window.dilation
  padding = [
    (reach - before, size + before - _spread(out, window))
    for size, out, (before, _) in _sides(x, gradient, window)
  ]
  return _convolve(
    gradient,
    turned,
    padding,
    input_dilation=window.stride,
    kernel_dilation=window.dilation,
    groups=groups,
  )


def _kernel_gradient(x, kernel, gradient, window):
  """The input, samples as its channels, with the gradient as the kernel."""
  batch, height, width, _ = x.shape
  side, _, per_group, _ = kernel.shape
  images = (
    x.reshape(batch, height, width, window.groups, per_group)
    .transpose(4, 1, 2, 3, 0)
    .reshape(per_group, height, width, window.groups * batch)
  )
  reach = (side - 1) * window.dilation
  padding = [
    # Rows at the end that no tap reached in the forward pass are cut off.
    (before, reach + _spread(out, window) - size - before)
    for size, out, (before, _) in _sides(x, gradient, window)
  ]
  return _convolve(
    images,
    gradient.transpose(1, 2, 0, 3),
    padding,
    stride=window.dilation,
    kernel_dilation=window.stride,
    groups=window.groups,
  ).transpose(1, 2, 0, 3)


def _product_gradients(x, kernel, gradient, window):
  """Both gradients of a 1x1 convolution, which is a matrix product."""
  stride = window.stride
  seen = x[:, ::stride, ::stride]
  # Two axes, not four: XLA's CPU backend multiplies only matrices fast.
  pixels = gradient.reshape(-1, gradient.shape[-1])
  by_input = (pixels @ kernel[0, 0].T).reshape(seen.shape)
  by_kernel = seen.reshape(-1, seen.shape[-1]).T @ pixels
  if stride > 1:
    rest = [
      (0, size - _spread(out, window), stride - 1)
      for size, out, _ in _sides(x, gradient, window)
    ]
    zero = jnp.zeros((), by_input.dtype)
    by_input = lax.pad(by_input, zero, [(0, 0, 0), *rest, (0, 0, 0)])
  return by_input, by_kernel[None, None]


def _dense_gradients(x, kernel, gradient, window):
  """Both gradients through the kernel as a dense, block-diagonal one."""
  side, _, per_group, features = kernel.shape
  groups = window.groups
  dense = window._replace(groups=1)
  blocks = kernel.reshape(side, side, per_group, groups, features // groups)
  eye = jnp.eye(groups, dtype=kernel.dtype)
  block_diagonal = jnp.einsum('hwigo,gk->hwkigo', blocks, eye).reshape(
    side, side, groups * per_group, features
  )
  by_kernel = _kernel_gradient(x, block_diagonal, gradient, dense).reshape(
    side, side, groups, per_group, groups, features // groups
  )
  return (
    _input_gradient(x, block_diagonal, gradient, dense),
    jnp.einsum('hwgigo->hwigo', by_kernel).reshape(kernel.shape),
  )


def _sides(x, gradient, window):
  """(input size, output size, padding) of the rows and of the columns."""
  return zip(x.shape[1:3], gradient.shape[1:3], window.padding, strict=True)


def _spread(out: int, window: Window) -> int:
  """Input pixels from the first output pixel's corner to the last one's."""
  return (out - 1) * window.stride + 1


def _convolve(
  x,
  kernel,
  padding,
  *,
  stride=1,
  input_dilation=1,
  kernel_dilation=1,
  groups=1,
):
  return lax.conv_general_dilated(
    x,
    kernel,
    window_strides=(stride, stride),
    padding=padding,
    lhs_dilation=(input_dilation, input_dilation),
    rhs_dilation=(kernel_dilation, kernel_dilation),
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    feature_group_count=groups,
  )
