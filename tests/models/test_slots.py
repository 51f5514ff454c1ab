"""What every stem, branch and shortcut must do; new ones are picked up."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax import slots
from resflax.models.branches import BRANCHES
from resflax.models.layers import Conventions
from resflax.models.shortcuts import SHORTCUTS
from resflax.models.stems import STEMS
from resflax.slots import BlockShape

SAME_SHAPE = BlockShape(in_features=8, inner_features=4, features=8, groups=2)
STRIDED = BlockShape(4, 8, 8, groups=2, stride=2, natural_stride=2)
DILATED = BlockShape(4, 8, 8, natural_stride=2, dilation=2)
SHAPES = {'same': SAME_SHAPE, 'strided': STRIDED, 'dilated': DILATED}


def module_of(slot: str, name: str, shape: BlockShape, conventions=None):
  conventions = conventions or Conventions()
  if slot == 'stem':
    return STEMS[name](8, conventions)
  if slot == 'branch':
    return BRANCHES[name](shape, zero_scale=False, conventions=conventions)
  return SHORTCUTS[name](shape, conventions)


MEMBERS = [
  *(('stem', name, 'same') for name in STEMS),
  *(('branch', name, shape) for name in BRANCHES for shape in SHAPES),
  *(
    ('shortcut', name, shape)
    for name in SHORTCUTS
    for shape in SHAPES
    if name != 'none'
  ),
]


@pytest.mark.parametrize(('slot', 'name', 'shape'), MEMBERS)
@pytest.mark.parametrize('padding', ['symmetric', 'same'])
@pytest.mark.parametrize('size', [1, 8, 9])
def test_shapes(slot, name, shape, padding, size, key):
  shape = SHAPES[shape]
  module = module_of(slot, name, shape, Conventions(padding=padding))
  y = jax.eval_shape(
    lambda key, x: module.init_with_output(key, x, train=False)[0],
    key,
    jax.ShapeDtypeStruct((2, size, size + 4, shape.in_features), jnp.float32),
  )
  stride = slots.STEMS[name].stride if slot == 'stem' else shape.stride
  sides = (-(-size // stride), -(-(size + 4) // stride))
  assert (y.shape, y.dtype) == ((2, *sides, 8), jnp.float32)


@pytest.mark.parametrize(('slot', 'name', 'shape'), MEMBERS)
def test_parameters_are_named_by_convolution(slot, name, shape, key):
  shape = SHAPES[shape]
  module = module_of(slot, name, shape)
  variables = jax.eval_shape(
    lambda key, x: module.init(key, x, train=False),
    key,
    jax.ShapeDtypeStruct((1, 8, 8, shape.in_features), 'float32'),
  )
  paths = {
    jax.tree_util.keystr(path, simple=True, separator='/')
    for path, _ in jax.tree_util.tree_leaves_with_path(variables)
  }
  leaves = (
    'params/{}conv/kernel',
    'params/{}norm/scale',
    'params/{}norm/bias',
    'batch_stats/{}norm/mean',
    'batch_stats/{}norm/var',
  )
  if slot == 'shortcut':
    parts = [''] if shape.changes and slots.SHORTCUTS[name] else []
  else:
    table = slots.STEMS if slot == 'stem' else slots.BRANCHES
    arguments = (3, 8) if slot == 'stem' else (shape,)
    convolutions = table[name].convolutions(*arguments)
    parts = [f'conv{i}/' for i in range(1, len(convolutions) + 1)]
  assert paths == {leaf.format(part) for part in parts for leaf in leaves}


@pytest.mark.parametrize(
  ('slot', 'name', 'shape'),
  [member for member in MEMBERS if member[0] == 'stem' or 'strided' in member],
)
def test_gradients_reach_every_parameter_and_the_input(slot, name, shape, key):
  module = module_of(slot, name, SHAPES[shape])
  x = jax.random.normal(key, (2, 8, 8, SHAPES[shape].in_features))
  variables = module.init(key, x, train=False)

  @jax.jit
  def gradients(params, x):
    def loss(params, x):
      y, _ = module.apply(
        {**variables, 'params': params}, x, train=True, mutable=['batch_stats']
      )
      return (y**3).sum()

    return jax.grad(loss, argnums=(0, 1))(params, x)

  for leaf in jax.tree.leaves(gradients(variables.get('params', {}), x)):
    assert np.isfinite(leaf).all()
    assert np.abs(leaf).max() > 1e-6


@pytest.mark.parametrize(('slot', 'name', 'shape'), MEMBERS)
def test_computes_in_bfloat16_on_float32_parameters(slot, name, shape, key):
  shape = SHAPES[shape]
  module = module_of(slot, name, shape, Conventions(dtype=jnp.bfloat16))
  y, variables = jax.eval_shape(
    lambda key, x: module.init_with_output(key, x, train=False),
    key,
    jax.ShapeDtypeStruct((1, 8, 8, shape.in_features), jnp.bfloat16),
  )
  assert y.dtype == jnp.bfloat16
  assert {leaf.dtype for leaf in jax.tree.leaves(variables)} <= {
    jnp.dtype('float32')
  }


@pytest.mark.parametrize('slot', ['STEMS', 'BRANCHES', 'SHORTCUTS'])
def test_the_arithmetic_knows_the_same_choices(slot):
  assert list(globals()[slot]) == list(getattr(slots, slot))
