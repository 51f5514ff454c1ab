"""The gradients of a convolution as CPUs are fast at them.

Every convolution here has the dimension numbers that XLA's CPU backend has a
fast kernel for: images NHWC, kernel HWIO. Where there is a faster form than a
convolution it is that: a matrix product for 1x1, a dense kernel for small
groups, sums over shifted images for depthwise ones.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

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


def pads_of(
  padding: str, sides: tuple[int, ...], side: int, stride: int
) -> tuple[tuple[int, int], ...]:
  """Returns the pixels around an image (before, after), axis by axis.

  Args:
    padding: 'symmetric' or 'same', see `Conv`.
    sides: of the image.
    side: of the window, which is odd, with its dilation.
    stride: of the window.
  """
  if padding == 'same':
    count = len(sides)
    found = lax.padtype_to_pads(
      sides, (side,) * count, (stride,) * count, 'SAME'
    )
    return tuple(found)
  return ((side // 2, side // 2),) * len(sides)


def gradients(x, kernel, gradient, window: Window):
  """Returns the gradients of a convolution by its input and by its kernel."""
  side, _, per_group, features = kernel.shape
  if side == 1 and window.groups == 1:
    return _product_gradients(x, kernel, gradient, window)
  if per_group == 1 and window.groups == features > 1:
    return _depthwise_gradients(x, kernel, gradient, window)
  if window.groups > 1 and per_group < _DENSE_BELOW:
    return _dense_gradients(x, kernel, gradient, window)
  return (
    _input_gradient(x, kernel, gradient, window),
    _kernel_gradient(x, kernel, gradient, window),
  )


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
  return keep_roles(
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
  return keep_roles(
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


def _depthwise_gradients(x, kernel, gradient, window):
  """Both gradients of a sum over taps, in float32 for it may be a long one.

  XLA's CPU backend runs through the groups of a convolution one by one; a
  product of images is a loop over features, which registers are for.
  """
  arrays = [a.astype(jnp.float32) for a in (x, kernel, gradient)]
  sides = list(_sides(x, gradient, window))
  pull_back = jax.vjp(
    lambda x, kernel: _sum_over_taps(x, kernel, sides, window), *arrays[:2]
  )[1]
  by_input, by_kernel = pull_back(arrays[2])
  return by_input.astype(x.dtype), by_kernel.astype(kernel.dtype)


def _sum_over_taps(x, kernel, sides, window):
  """Returns a depthwise convolution as products of shifted images."""
  reach = (len(kernel) - 1) * window.dilation
  around = [
    (before, max(0, reach + _spread(out, window) - size - before))
    for size, out, (before, _) in sides
  ]
  padded = jnp.pad(x, [(0, 0), *around, (0, 0)])
  weights = jnp.unstack(kernel.reshape(-1, kernel.shape[-1]))
  total = 0.0
  for tap, weight in zip(np.ndindex(kernel.shape[:2]), weights, strict=True):
    rows, columns = (
      slice(
        at * window.dilation,
        at * window.dilation + _spread(out, window),
        window.stride,
      )
      for at, (_, out, _) in zip(tap, sides, strict=True)
    )
    total += padded[:, rows, columns] * weight[None, None, None]
  return total


def _sides(x, gradient, window):
  """(input size, output size, padding) of the rows and of the columns."""
  return zip(x.shape[1:3], gradient.shape[1:3], window.padding, strict=True)


def _spread(out: int, window: Window) -> int:
  """Input pixels from the first output pixel's corner to the last one's."""
  return (out - 1) * window.stride + 1


def keep_roles(x, kernel, padding, *, input_dilation=1, groups=1, **rest):
  """Convolves with the image as the image, however small it is.

  XLA's simplifier takes the smaller of the two for the kernel. Of 2x2 pixels
  under a 3x3 kernel it makes a convolution that its CPU backend has naive
  loops for alone, so here the image comes with its zeros around it.
  """
  if is_smaller(x, kernel, groups):
    rows, columns = ((*around, input_dilation - 1) for around in padding)
    zero = jnp.zeros((), x.dtype)
    x = lax.pad(x, zero, [(0, 0, 0), rows, columns, (0, 0, 0)])
    # Or the simplifier would make padding of the zeros again.
    x = lax.optimization_barrier(x)
    padding, input_dilation = ((0, 0), (0, 0)), 1
  return convolve(
    x, kernel, padding, input_dilation=input_dilation, groups=groups, **rest
  )


def is_smaller(x, kernel, groups: int) -> bool:
  """Whether XLA would take the image for the kernel."""
  pixels, taps = x.shape[1] * x.shape[2], kernel.shape[0] * kernel.shape[1]
  return groups == 1 and pixels < taps


def convolve(
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
