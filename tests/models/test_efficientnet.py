"""The EfficientNet's modules on tiny images."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.efficientnets import BlockShape, Shape
from resflax.models import build_model
from resflax.models.efficientnet import EfficientNet, InvertedBottleneck
from resflax.models.layers import Conventions, Drop
from resflax.models.layout import stack, unstack

SWISH = Conventions(activation=jax.nn.swish, padding='same')
TINY = Shape(
  8,
  (
    (BlockShape(8, 8, 1, 3, 1),),
    (
      BlockShape(8, 16, 6, 3, 2),
      BlockShape(16, 16, 6, 3, 1, drop_rate=0.3),
      BlockShape(16, 16, 6, 3, 1, drop_rate=0.5),
    ),
  ),
  32,
)


@pytest.fixture(scope='module')
def images():
  return jax.random.normal(jax.random.key(1), (4, 16, 16, 3))


def tiny(**kwargs):
  return EfficientNet(TINY, num_classes=5, conventions=SWISH, **kwargs)


def init(module, x):
  """As one program, which compiles faster than its parts do."""
  start = functools.partial(module.init, train=False)
  return jax.jit(start)(jax.random.key(0), x)


def run(module, variables, x, **kwargs):
  apply = functools.partial(module.apply, train=False)
  return jax.jit(apply)(variables, x, **kwargs)


@pytest.fixture(scope='module')
def variables(images):
  return init(tiny(), images)


def test_endpoints(images, variables):
  endpoints = jax.eval_shape(
    lambda x: tiny().apply(variables, x, train=False, method='features'), images
  )
  assert {name: x.shape for name, x in endpoints.items()} == {
    'stem': (4, 8, 8, 8),
    'stage1': (4, 8, 8, 8),
    'stage2': (4, 4, 4, 16),
    'pooled': (4, 32),
  }


@pytest.fixture(scope='module')
def block_variables(images):
  return init(block(stride=1), images)


def block(stride):
  return InvertedBottleneck(BlockShape(3, 3, 1, 3, stride), SWISH)


@pytest.mark.parametrize('stride', [1, 2])
def test_blocks_of_a_changed_shape_have_no_shortcut(
  stride, images, block_variables
):
  """With a projection of zero the output is the input, or zero."""
  zero = jax.tree.map(jnp.zeros_like, block_variables['params'])
  variables = {**block_variables, 'params': zero}
  y = run(block(stride), variables, images)
  expected = images if stride == 1 else jnp.zeros((4, 8, 8, 3))
  np.testing.assert_array_equal(y, expected)


def test_a_dropped_branch_leaves_the_input(images, block_variables):
  drop = Drop(0.5, jax.random.key(3))
  y = run(block(1), block_variables, images, drop=drop)
  whole = run(block(1), block_variables, images)
  dropped = np.asarray((y == images).all((1, 2, 3)))
  assert 0 < dropped.sum() < len(images)
  y, whole, images = map(np.asarray, (y, whole, images))
  np.testing.assert_allclose(
    y[~dropped], (2 * whole - images)[~dropped], atol=1e-5
  )


def test_initial_variances(variables):
  params = variables['params']
  first = params['stage2']['block1']
  for name, variance in (
    *(('expand', 2 / 48), ('depthwise', 2 / 9), ('project', 2 / 16)),
  ):
    kernel = first[name]['conv']['kernel']
    assert np.var(kernel) == pytest.approx(variance, rel=0.25)
  kernel = np.abs(params['head']['kernel'])
  assert 0.9 / np.sqrt(5) < kernel.max() <= 1 / np.sqrt(5)


@pytest.mark.slow
def test_loops_and_blocks_computed_again_change_nothing(images, variables):
  def loss(params, model, stats):
    logits, updates = model.apply(
      {'params': params, 'batch_stats': stats},
      images,
      train=True,
      rngs={'dropout': jax.random.key(2)},
      mutable=['batch_stats'],
    )
    return jnp.square(logits).mean(), updates['batch_stats']

  def trained(variables, **form):
    model = tiny(dropout_rate=0.2, **form)
    step = jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)
    return step(variables['params'], model, variables['batch_stats'])

  gradients, stats = trained(variables)
  assert all(np.abs(a).max() > 0 for a in jax.tree.leaves(gradients))
  moved = stats['stage2']['block1']['depthwise']['norm']['mean']
  assert np.abs(moved).max() > 0
  looped = trained(stack(variables), scan_blocks=True, remat='blocks')
  assert set(looped[0]['stage2']) == {'block1', 'blocks'}
  for a, b in zip(
    *map(jax.tree.leaves, ((gradients, stats), unstack(looped))), strict=True
  ):
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_it_is_built_by_name():
  model = build_model(
    'efficientnet_b1',
    num_classes=7,
    dtype='bfloat16',
    dropout_rate=0.2,
    stochastic_depth_rate=0.2,
    norm={'group_size': 8},
  )
  assert isinstance(model, EfficientNet)
  assert (model.num_classes, model.dropout_rate) == (7, 0.2)
  assert [len(blocks) for blocks in model.shape.stages] == [2, 3, 3, 4, 4, 5, 2]
  last = model.shape.stages[-1][-1]
  assert last.drop_rate == pytest.approx(0.2 * 22 / 23)
  conventions = model.conventions
  assert conventions.activation is jax.nn.swish
  assert (conventions.padding, conventions.group_size) == ('same', 8)
  assert (conventions.momentum, conventions.epsilon) == (0.99, 1e-3)
  assert conventions.dtype == jnp.bfloat16
