"""The max pooling of stems, 3x3 with a stride of 2.

Its gradient is written out for CPUs, where XLA goes through windows one by one.
Elsewhere, and with form 'xla', it is `nn.max_pool` and its gradient autodiff's.
docs/results/conv.md has the measurement.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

from resflax.models.conv_gradients import pads_of

Images = Float[Array, 'batch height width features']
Outputs = Float[Array, 'batch out_height out_width features']
Padding = tuple[tuple[int, int], tuple[int, int]]

_SIDE, _STRIDE = 3, 2
_TAPS = tuple(itertools.product(range(_SIDE), repeat=2))  # of a window


def max_pool(x: Images, padding: str, form: str = 'auto') -> Outputs:
  """Returns the maximum of each window.

  Args:
    x: the features.
    padding: 'symmetric' or 'same', see `Conv`.
    form: see `Conv.form`.
  """
  pads = pads_of(padding, x.shape[1:3], _SIDE, _STRIDE)
  return (plain if form == 'xla' else pool)(x, pads)


def plain(x: Images, padding: Padding) -> Outputs:
  """Returns the pooling as XLA and autodiff have it."""
  # By keyword: exporters to ONNX know the window by no other way.
  return nn.max_pool(
    x,
    window_shape=(_SIDE, _SIDE),
    strides=(_STRIDE, _STRIDE),
    padding=padding,
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def pool(x: Images, padding: Padding) -> Outputs:
  """Returns the pooling; how its gradient is done depends on the platform."""
  return plain(x, padding)


def _forward(x, padding):
  y = plain(x, padding)
  return y, (x, y)


def _backward(padding, saved, gradient):
  def autodiff(x, _, gradient):
    return jax.vjp(lambda x: plain(x, padding), x)[1](gradient)[0]

  def written_out(x, y, gradient):
    return by_taps(x, y, gradient, padding)

  found = lax.platform_dependent(
    *saved, gradient, cpu=written_out, default=autodiff
  )
  return (found,)


pool.defvjp(_forward, _backward)


def by_taps(
  x: Images, y: Outputs, gradient: Outputs, padding: Padding
) -> Images:
  """Returns the gradient by the input, bit for bit that of autodiff.

  Of equal maxima the first of a window has its gradient, and what a pixel gets
  of several windows is added in their order.

  Args:
    x: the input.
    y: the output.
    gradient: by the output.
    padding: pixels (before, after) the rows and the columns.
  """
  free = jnp.ones(y.shape, bool)  # windows whose maximum is yet to be found
  parts = {}
  planes = _planes(x, y.shape, padding)
  for row, column in _TAPS:
    plane = planes[row % _STRIDE, column % _STRIDE]
    is_maximum = free & (_moved(plane, row, column, y.shape) == y)
    free &= ~is_maximum
    parts[row, column] = jnp.where(is_maximum, gradient, 0)
  (top, _), (left, _) = padding
  whole = _interleaved(parts)
  return whole[:, top : top + x.shape[1], left : left + x.shape[2]]


def _planes(x, shape, padding) -> dict[tuple[int, int], Array]:
  """Returns the padded image's pixels by the parities of row and column."""
  lowest = jnp.array(-jnp.inf, x.dtype)
  pads = [
    (before, _STRIDE * (out + 1) - side - before, 0)
    for (before, _), out, side in zip(
      padding, shape[1:3], x.shape[1:3], strict=True
    )
  ]
  padded = lax.pad(x, lowest, [(0, 0, 0), *pads, (0, 0, 0)])
  return {
    (row, column): padded[:, row::_STRIDE, column::_STRIDE]
    for row, column in itertools.product(range(_STRIDE), repeat=2)
  }


def _moved(plane, row: int, column: int, shape):
  """Returns the pixel under a tap of each window."""
  top, left = row // _STRIDE, column // _STRIDE
  return plane[:, top : top + shape[1], left : left + shape[2]]


def _interleaved(parts):
  """Returns the sums of what the taps have, where they lay in the image."""
  rows = []
  for row in range(_STRIDE):
    columns = [_plane_of(parts, row, column) for column in range(_STRIDE)]
    rows.append(jnp.stack(columns, 3))
  both = jnp.stack(rows, 2)  # batch, row, its parity, column, its parity
  batch, height, _, width, _, features = both.shape
  return both.reshape(batch, _STRIDE * height, _STRIDE * width, features)


def _plane_of(parts, row_parity: int, column_parity: int):
  """Sums the parts of one parity, in the order of the windows."""
  terms = []
  for row, column in reversed(_TAPS):  # a window before has a later tap here
    if (row % _STRIDE, column % _STRIDE) == (row_parity, column_parity):
      zero = jnp.zeros((), parts[row, column].dtype)
      pads = [(tap // _STRIDE, 1 - tap // _STRIDE, 0) for tap in (row, column)]
      terms.append(
        lax.pad(parts[row, column], zero, [(0, 0, 0), *pads, (0, 0, 0)])
      )
  return functools.reduce(jnp.add, terms)
