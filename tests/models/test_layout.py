"""A network in a loop over stacked blocks is the network without a loop."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resflax.models import build_model
from resflax.models.layout import stack, unstack
from resflax.training.state import create_state

FIELDS = {
  'variant': 'resnet_rs_50',
  'depths': (1, 2, 4, 3),
  'width': 0.125,
  'stochastic_depth_rate': 0.5,
  'stochastic_depth_by': 'block',
  'norm': {'group_size': 2, 'momentum': 0.9},
}
KEY = jax.random.key(0)
IMAGES = jax.random.normal(KEY, (4, 32, 32, 3))


def model(**fields):
  return build_model(FIELDS | fields, num_classes=5)


@pytest.fixture(scope='module')
def variables():
  return jax.jit(lambda: model().init(KEY, IMAGES, train=False))()


def value_and_gradients(variables, **fields):
  def objective(params):
    logits, updates = model(**fields).apply(
      {**variables, 'params': params},
      IMAGES,
      train=True,
      rngs={'dropout': KEY},
      mutable=['batch_stats'],
    )
    return jnp.square(logits).sum(), (logits, updates['batch_stats'])

  return jax.jit(jax.value_and_grad(objective, has_aux=True))(
    variables['params']
  )


def assert_close(got, expected):
  assert jax.tree.structure(got) == jax.tree.structure(expected)
  for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
    np.testing.assert_allclose(a, b, atol=1e-4 * (np.abs(b).max() + 1e-6))


@pytest.fixture(scope='module')
def expected(variables):
  return value_and_gradients(variables)


@pytest.mark.slow
@pytest.mark.parametrize(
  'scan_blocks, remat', [('on', 'none'), ('on', 'blocks'), ('off', 'blocks')]
)
def test_outputs_statistics_and_gradients(
  variables, expected, scan_blocks, remat
):
  """Stochastic depth drops the same samples, groups are the same ones."""
  given = stack(variables) if scan_blocks == 'on' else variables
  (value, (logits, stats)), gradients = value_and_gradients(
    given, scan_blocks=scan_blocks, remat=remat
  )
  (expected_value, aux), expected_gradients = expected
  assert value == pytest.approx(float(expected_value), rel=1e-5)
  assert_close((logits, unstack(stats)), aux)
  assert_close(unstack(gradients), expected_gradients)


@pytest.mark.slow
def test_initial_values_are_those_without_a_loop(variables):
  looped = model(scan_blocks='on')
  initial = jax.jit(lambda: looped.init(KEY, IMAGES, train=False))()
  assert set(initial['params']['stage3']) == {'block1', 'blocks'}
  assert set(initial['params']['stage2']) == {'block1', 'block2'}
  kernel = initial['params']['stage3']['blocks']['branch']['conv2']['conv']
  assert kernel['kernel'].shape == (3, 3, 3, 32, 32)
  jax.tree.map(np.testing.assert_array_equal, unstack(initial), variables)


@pytest.mark.slow
def test_a_training_state_there_and_back(variables):
  optimizer = optax.chain(
    optax.masked(
      optax.add_decayed_weights(1e-4),
      lambda params: jax.tree.map(lambda x: x.ndim > 1, params),
    ),
    optax.trace(0.9),
  )
  state = create_state(variables, optimizer, ema=True)
  stacked = stack(state)
  assert len(jax.tree.leaves(stacked)) < len(jax.tree.leaves(state))
  assert stacked.step == 0
  back = unstack(stacked)
  assert jax.tree.structure(back) == jax.tree.structure(state)
  jax.tree.map(np.testing.assert_array_equal, back, state)
  assert jax.tree.structure(stack(stacked)) == jax.tree.structure(stacked)


def test_the_program_does_not_grow_with_depth():
  def size(**fields):
    net = build_model(
      'resnet_rs_50', num_classes=5, width=0.125, scan_blocks='on', **fields
    )
    shapes = jax.eval_shape(lambda: net.init(KEY, IMAGES, train=False))
    apply = functools.partial(net.apply, train=False)
    return len(jax.jit(apply).lower(shapes, IMAGES).as_text())

  deep = size(depths=(4, 44, 87, 4))
  assert deep < 1.02 * size(depths=(3, 4, 6, 3))
