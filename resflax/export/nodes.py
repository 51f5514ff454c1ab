"""Each primitive of JAX that our nets use, as a node of ONNX.

One that is missing is a function of `(graph, equation, *operands)` and a line
in `NODES`; operands are arrays or `Value`s.
"""

from typing import Any, NamedTuple

import numpy as np
from onnx import helper

from resflax.errors import UsageError

# Batch, channels, rows, columns, of images in JAX's order.
CHANNELS_FIRST = (0, 3, 1, 2)
_INT = np.int64  # of numbers that ONNX takes as operands


class Value(NamedTuple):
  """A tensor of the graph.

  Attributes:
    name: its name there.
    axes: which of JAX's axes each of its dimensions is. An axis of one element
      may be left out, so layouts and most changes of shape cost nothing.
  """

  name: str
  axes: tuple[int, ...]


def not_translated(equation) -> UsageError:
  """Returns the error for an operation that ONNX does not get."""
  stack = str(equation.source_info.name_stack)
  return UsageError(
    f'{stack or "The net"} uses {equation.primitive.name} in a way that is '
    'not translated to ONNX: export stablehlo.'
  )


def in_order(array: Any, axes: tuple[int, ...]) -> np.ndarray:
  """Returns an array with those dimensions; the others have one element."""
  array = np.asarray(array)
  if not array.ndim:
    return array
  others = [axis for axis in range(array.ndim) if axis not in axes]
  turned = array.transpose(*axes, *others)
  return turned.reshape(turned.shape[: len(axes)])


def _elementwise(op: str):
  def add(graph, equation, *operands):
    values = [x for x in operands if isinstance(x, Value)]
    axes = max((value.axes for value in values), key=len)
    shape = equation.outvars[0].aval.shape
    if any(n > 1 for axis, n in enumerate(shape) if axis not in axes):
      raise not_translated(equation)
    names = [graph.aligned(operand, axes) for operand in operands]
    return graph.add(op, names, axes)

  return add


def _max(graph, equation, *operands):
  values = [x for x in operands if isinstance(x, Value)]
  bounds = [x for x in operands if not isinstance(x, Value)]
  if bounds and not np.any(bounds[0]):
    return graph.add('Relu', [values[0].name], values[0].axes)
  return _elementwise('Max')(graph, equation, *operands)


def _cast(graph, equation, x):
  before, after = equation.invars[0].aval.dtype, equation.params['new_dtype']
  if before == after:
    return x
  kind = helper.np_dtype_to_tensor_dtype(np.dtype(after))
  return graph.add('Cast', [x.name], x.axes, to=kind)


def _reshape(graph, equation, x):
  """A new shape with axes of one element more or less, no other."""
  old, new = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
  axes = {}
  for units in (False, True):
    olds, news = (
      [axis for axis, size in enumerate(shape) if (size == 1) == units]
      for shape in (old, new)
    )
    if not units and [old[i] for i in olds] != [new[i] for i in news]:
      raise not_translated(equation)
    axes |= dict(zip(reversed(olds), reversed(news), strict=False))
  if set(x.axes) - set(axes):
    raise not_translated(equation)
  return Value(x.name, tuple(axes[axis] for axis in x.axes))


def _broadcast(graph, equation, x):
  """New axes of one element."""
  old, new = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
  to = equation.params['broadcast_dimensions']
  wanted = [1] * len(new)
  for axis, size in zip(to, old, strict=True):
    wanted[axis] = size
  if tuple(wanted) != new:
    raise not_translated(equation)
  return Value(x.name, tuple(to[axis] for axis in x.axes))


def _sum(graph, equation, x):
  gone = equation.params['axes']
  dimensions = [i for i, axis in enumerate(x.axes) if axis in gone]
  kept = [axis for axis in x.axes if axis not in gone]
  axes = [axis - sum(g < axis for g in gone) for axis in kept]
  if not dimensions:
    return Value(x.name, tuple(axes))
  names = [x.name, graph.constant(np.asarray(dimensions, _INT))]
  return graph.add('ReduceSum', names, axes, keepdims=0)


def _product(graph, equation, x, kernel):
  """A dense layer: any axes, the last of which meets a matrix."""
  (left, right), batched = equation.params['dimension_numbers']
  matrix = not isinstance(kernel, Value) and np.ndim(kernel) == 2
  last = len(equation.invars[0].aval.shape) - 1
  if any(batched) or tuple(left) != (last,) or not matrix:
    raise not_translated(equation)
  axes = (*(axis for axis in x.axes if axis != last), last)
  matrix = np.moveaxis(np.asarray(kernel), right[0], 0)
  names = [graph.aligned(x, axes), graph.constant(matrix)]
  return graph.add('MatMul', names, axes)


def _convolution(graph, equation, x, kernel):
  p = equation.params
  layout = p['dimension_numbers']
  if (
    isinstance(kernel, Value)
    or not isinstance(x, Value)
    or set(p['lhs_dilation']) != {1}
    or p['batch_group_count'] != 1
    or np.min(p['padding']) < 0
  ):
    raise not_translated(equation)
  turned = np.asarray(kernel).transpose(layout.rhs_spec)
  names = [graph.aligned(x, tuple(layout.lhs_spec)), graph.constant(turned)]
  return graph.add(
    'Conv',
    names,
    layout.out_spec,
    kernel_shape=turned.shape[2:],
    strides=p['window_strides'],
    pads=np.transpose(p['padding']).ravel(),
    dilations=p['rhs_dilation'],
    group=p['feature_group_count'],
  )


def _pool(graph, equation, x, op: str, **attributes) -> Value:
  p = equation.params
  window, strides = p['window_dimensions'], p['window_strides']
  around = [window[axis] * strides[axis] for axis in CHANNELS_FIRST[:2]]
  dilated = {*p['base_dilation'], *p['window_dilation']} != {1}
  if len(window) != 4 or around != [1, 1] or dilated:
    raise not_translated(equation)
  return graph.add(
    op,
    [graph.aligned(x, CHANNELS_FIRST)],
    CHANNELS_FIRST,
    kernel_shape=window[1:3],
    strides=strides[1:3],
    pads=np.transpose(p['padding'][1:3]).ravel(),
    **attributes,
  )


def _max_pool(graph, equation, x):
  return _pool(graph, equation, x, 'MaxPool')


def _sum_pool(graph, equation, x):
  """As an average, which counts the padding's zeros."""
  average = _pool(graph, equation, x, 'AveragePool', count_include_pad=1)
  count = np.float32(np.prod(equation.params['window_dimensions']))
  names = [average.name, graph.constant(count)]
  return graph.add('Mul', names, average.axes)


def _slice(graph, equation, x):
  shape = equation.invars[0].aval.shape
  p = equation.params
  strides = p['strides'] or (1,) * len(shape)
  parts = zip(p['start_indices'], p['limit_indices'], strides, strict=True)
  cut = {
    axis: part
    for axis, (part, size) in enumerate(zip(parts, shape, strict=True))
    if part != (0, size, 1)
  }
  if set(cut) - set(x.axes):
    raise not_translated(equation)
  starts, limits, steps = zip(*cut.values(), strict=True) if cut else ((),) * 3
  dimensions = [x.axes.index(axis) for axis in cut]
  columns = (starts, limits, dimensions, steps)
  names = [graph.constant(np.asarray(column, _INT)) for column in columns]
  return graph.add('Slice', [x.name, *names], x.axes)


def _pad(graph, equation, x, value):
  config = equation.params['padding_config']
  padded = {axis for axis, part in enumerate(config) if part != (0, 0, 0)}
  if padded - set(x.axes) or any(min(p) < 0 or p[2] for p in config):
    raise not_translated(equation)
  pads = np.asarray([config[axis][:2] for axis in x.axes], _INT).T.ravel()
  names = [x.name, graph.constant(pads), graph.constant(value)]
  return graph.add('Pad', names, x.axes)


NODES = {
  'add': _elementwise('Add'),
  'sub': _elementwise('Sub'),
  'mul': _elementwise('Mul'),
  'div': _elementwise('Div'),
  'max': _max,
  'logistic': _elementwise('Sigmoid'),
  'convert_element_type': _cast,
  'reshape': _reshape,
  'squeeze': _reshape,
  'broadcast_in_dim': _broadcast,
  'reduce_sum': _sum,
  'dot_general': _product,
  'conv_general_dilated': _convolution,
  'reduce_window_max': _max_pool,
  'reduce_window_sum': _sum_pool,
  'slice': _slice,
  'pad': _pad,
}
