"""A function of JAX as a graph of ONNX: the operations that our nets use.

A traced function is a list of primitives. What depends on weights alone is
computed here; each of the others is one node. Images lie channels first
between the nodes, as ONNX has them, so nothing is turned round but the input.
The batch is whatever the user gives: no node holds a batch's size.

Source: the ONNX operator specification, opset 17 (2022), of which every
  runtime since then has all.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import onnx
from jax.extend.core import Literal
from onnx import helper, numpy_helper

from resflax.errors import UsageError
from resflax.export import nodes

OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = 'images', 'logits'
# Of the example that is traced: not 1, which cannot be told from no axis.
_BATCH = 2
# Primitives that hold a function, under one of these names.
_CALLS = ('jit', 'pjit', 'closed_call', 'custom_jvp_call', 'custom_vjp_call')
_FUNCTIONS = ('jaxpr', 'call_jaxpr')


def to_onnx(
  function: Callable,
  variables: Mapping,
  image: Sequence[int],
  properties: Mapping[str, str],
) -> onnx.ModelProto:
  """Returns `function(variables, images)` as a model of uint8 images.

  Args:
    function: returns logits.
    variables: become a part of the model.
    image: height, width and channels.
    properties: strings that the file carries, by name.

  Raises:
    UsageError: the function uses an operation that is not translated.
  """
  example = jax.ShapeDtypeStruct((_BATCH, *image), np.uint8)
  traced = jax.make_jaxpr(function)(variables, example)
  graph = Graph()
  inputs = [np.asarray(leaf) for leaf in jax.tree.leaves(variables)]
  images = nodes.Value(INPUT, tuple(range(1 + len(image))))
  [logits] = graph.run(traced.jaxpr, traced.consts, [*inputs, images])
  graph.nodes.append(
    helper.make_node('Identity', [graph.aligned(logits, (0, 1))], [OUTPUT])
  )
  [result] = traced.out_avals
  made = helper.make_graph(
    graph.nodes,
    'resflax',
    [_tensor(INPUT, onnx.TensorProto.UINT8, image)],
    [_tensor(OUTPUT, onnx.TensorProto.FLOAT, result.shape[1:])],
    graph.initializers,
  )
  model = helper.make_model(
    made,
    producer_name='resflax',
    opset_imports=[helper.make_opsetid('', OPSET)],
    ir_version=IR_VERSION,
  )
  helper.set_model_props(model, dict(properties))
  return model


def _tensor(name: str, kind: int, shape: Sequence[int]) -> Any:
  return helper.make_tensor_value_info(name, kind, ['batch', *shape])


class Graph:
  """Nodes and constants, as far as they are made."""

  def __init__(self):
    self.nodes = []
    self.initializers = []
    self._scope = ''

  def run(self, jaxpr, consts: Sequence, inputs: Sequence) -> list:
    """Adds a traced function and returns its results.

    Args:
      jaxpr: what is to be done.
      consts: of the function.
      inputs: each an array or a `Value`, as are the results.
    """
    known = dict(
      zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True)
    )

    def read(variable):
      literal = isinstance(variable, Literal)
      return np.asarray(variable.val) if literal else known[variable]

    for equation in jaxpr.eqns:
      scope = self._scope
      self._scope = str(equation.source_info.name_stack) or scope
      results = self._apply(equation, [read(v) for v in equation.invars])
      self._scope = scope
      known.update(zip(equation.outvars, results, strict=True))
    return [read(variable) for variable in jaxpr.outvars]

  def _apply(self, equation, inputs: list) -> list:
    primitive, params = equation.primitive, equation.params
    if primitive.name in _CALLS:
      called = next(params[name] for name in _FUNCTIONS if name in params)
      return self.run(called.jaxpr, called.consts, inputs)
    if not any(isinstance(x, nodes.Value) for x in inputs):
      results = primitive.bind(*inputs, **params)
      results = results if primitive.multiple_results else [results]
      return [np.asarray(result) for result in results]
    if primitive.name not in nodes.NODES:
      raise nodes.not_translated(equation)
    return [nodes.NODES[primitive.name](self, equation, *inputs)]

  def add(
    self, op: str, inputs: Sequence[str], axes: Sequence[int], **attributes
  ) -> nodes.Value:
    """Adds a node of one result.

    Args:
      op: of ONNX.
      inputs: names.
      axes: of the result, see `Value`.
      **attributes: of the node.
    """
    name = f'{self._scope}/{op}_{len(self.nodes)}'
    self.nodes.append(
      helper.make_node(op, list(inputs), [name], name, **attributes)
    )
    return nodes.Value(name, tuple(axes))

  def constant(self, array: Any) -> str:
    """Adds a constant and returns its name."""
    name = f'{self._scope}/constant_{len(self.initializers)}'
    array = np.ascontiguousarray(array)
    self.initializers.append(numpy_helper.from_array(array, name))
    return name

  def aligned(self, operand: Any, axes: tuple[int, ...]) -> str:
    """Returns the name of an array or a `Value` whose dimensions are `axes`.

    Raises:
      UsageError: it has another one.
    """
    if not isinstance(operand, nodes.Value):
      return self.constant(nodes.in_order(operand, axes))
    if set(operand.axes) - set(axes):
      raise UsageError(
        f'{self._scope} puts together what lies in memory differently, which '
        'is not translated to ONNX: export stablehlo.'
      )
    present = tuple(axis for axis in axes if axis in operand.axes)
    if operand.axes != present:
      order = [operand.axes.index(axis) for axis in present]
      operand = self.add('Transpose', [operand.name], present, perm=order)
    if present != axes:
      missing = [i for i, axis in enumerate(axes) if axis not in present]
      new = self.constant(np.asarray(missing, np.int64))
      operand = self.add('Unsqueeze', [operand.name, new], axes)
    return operand.name
