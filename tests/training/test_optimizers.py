"""SGD against NumPy; LARS and LAMB against optax's own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resflax.errors import UsageError
from resflax.models.layout import is_stacked, stack, unstack
from resflax.training.optimizers import (
  all_but_norm,
  kernels_only,
  make_optimizer,
)

PARAMS = {
  'conv': {'kernel': jnp.array([1.0, -2.0])},
  'norm': {'scale': jnp.array([3.0]), 'bias': jnp.array([-1.0])},
}


def test_decay_falls_on_kernels_alone():
  assert kernels_only(PARAMS) == {
    'conv': {'kernel': True},
    'norm': {'scale': False, 'bias': False},
  }


@pytest.mark.parametrize('nesterov', [False, True])
def test_sgd_is_momentum_over_the_gradient_of_loss_plus_l2(nesterov):
  decay, momentum, lr = 0.1, 0.9, 0.5
  optimizer = make_optimizer(
    'sgd', momentum=momentum, nesterov=nesterov, weight_decay=decay
  )
  params, state = PARAMS, optimizer.init(PARAMS)
  kernel, velocity = np.array([1.0, -2.0]), np.zeros(2)
  scale, scale_velocity = 3.0, 0.0
  for step in range(4):
    gradient = 0.3 * (step + 1)
    # As torch.optim.SGD writes it, with the rate outside of the buffer.
    full = gradient + decay * kernel
    velocity = momentum * velocity + full
    kernel = kernel - lr * (
      full + momentum * velocity if nesterov else velocity
    )
    scale_velocity = momentum * scale_velocity + gradient
    scale -= lr * (
      gradient + momentum * scale_velocity if nesterov else scale_velocity
    )
    gradients = {
      'conv': {'kernel': jnp.full(2, gradient)},
      'norm': {'scale': jnp.full(1, gradient), 'bias': jnp.zeros(1)},
    }
    deltas, state = optimizer.update(gradients, state, params, learning_rate=lr)
    params = optax.apply_updates(params, deltas)
  np.testing.assert_allclose(params['conv']['kernel'], kernel, rtol=1e-6)
  np.testing.assert_allclose(params['norm']['scale'], [scale], rtol=1e-6)
  assert params['norm']['bias'] == -1.0


def test_unknown_optimizer_is_refused():
  with pytest.raises(UsageError, match='config.optimizer.name'):
    make_optimizer('sdg')


def one_update(gradient, params=PARAMS, **options):
  defaults = dict(momentum=0.9, nesterov=False, weight_decay=0.1)
  optimizer = make_optimizer('sgd', **(defaults | options))
  state = optimizer.init(params)
  for _ in range(2):
    deltas, state = optimizer.update(
      gradient, state, params, learning_rate=-1.0
    )
  return deltas


GRADIENT = {
  'conv': {'kernel': jnp.array([0.3, 0.4])},
  'norm': {'scale': jnp.array([1.2]), 'bias': jnp.array([0.0])},
}


def test_decoupled_decay_stays_out_of_the_velocity():
  kernel, gradient = np.array([1.0, -2.0]), np.array([0.3, 0.4])
  coupled = 1.9 * (gradient + 0.1 * kernel)
  deltas = one_update(GRADIENT)
  np.testing.assert_allclose(deltas['conv']['kernel'], coupled, rtol=1e-6)
  deltas = one_update(GRADIENT, decoupled=True)
  want = 1.9 * gradient + 0.1 * kernel
  np.testing.assert_allclose(deltas['conv']['kernel'], want, rtol=1e-6)
  np.testing.assert_allclose(deltas['norm']['scale'], [1.9 * 1.2], rtol=1e-6)


def test_nesterov_looks_past_the_gradient_not_past_decoupled_decay():
  kernel, gradient = np.array([1.0, -2.0]), np.array([0.3, 0.4])
  deltas = one_update(GRADIENT, decoupled=True, nesterov=True)
  velocity = 1.9 * gradient
  want = gradient + 0.9 * velocity + 0.1 * kernel
  np.testing.assert_allclose(deltas['conv']['kernel'], want, rtol=1e-6)


def test_the_authors_decay_everything_but_batch_norm():
  params = {
    'stage1': {
      'conv1': {'conv': {'kernel': 1.0}, 'norm': {'scale': 1.0, 'bias': 1.0}},
      'se': {'reduce': {'kernel': 1.0, 'bias': 1.0}},
    },
    'head': {'kernel': 1.0, 'bias': 1.0},
  }
  assert all_but_norm(params) == {
    'stage1': {
      'conv1': {
        'conv': {'kernel': True},
        'norm': {'scale': False, 'bias': False},
      },
      'se': {'reduce': {'kernel': True, 'bias': True}},
    },
    'head': {'kernel': True, 'bias': True},
  }


@pytest.mark.parametrize('clip', [0.65, 1.3, 5.0])
def test_long_gradients_are_scaled_and_short_ones_are_not(clip):
  """The gradient of both layers together has the length 1.3."""
  options = dict(weight_decay=0.0, momentum=0.0, clip_norm=clip)
  deltas = one_update(GRADIENT, **options)
  scale = min(1.0, clip / 1.3)
  np.testing.assert_allclose(
    deltas['conv']['kernel'], scale * np.array([0.3, 0.4]), rtol=1e-6
  )
  np.testing.assert_allclose(deltas['norm']['scale'], [scale * 1.2], rtol=1e-6)


def test_decay_is_not_clipped():
  deltas = one_update(GRADIENT, momentum=0.0, clip_norm=0.65)
  want = 0.5 * np.array([0.3, 0.4]) + 0.1 * np.array([1.0, -2.0])
  np.testing.assert_allclose(deltas['conv']['kernel'], want, atol=1e-7)


OPTAXES = {
  **{
    name: optax.lars(
      optax.linear_schedule(0.5, 0.1, 4),
      0.1,
      weight_decay_mask=kernels_only,
      trust_coefficient=0.01,
      trust_ratio_mask=kernels_only,
      nesterov=nesterov,
    )
    for name, nesterov in (('lars', False), ('lars with nesterov', True))
  },
  'lamb': optax.lamb(
    optax.linear_schedule(0.5, 0.1, 4), weight_decay=0.1, mask=kernels_only
  ),
}
LARS = dict(name='lars', trust_coefficient=0.01)
OURS = {
  'lars': dict(nesterov=False, **LARS),
  'lars with nesterov': dict(nesterov=True, **LARS),
  'lamb': dict(name='lamb', beta2=0.999, epsilon=1e-6),
}


def block(seed):
  a, b = np.random.default_rng(seed).normal(size=(2, 3)).astype(np.float32)
  return {'conv': {'kernel': jnp.asarray(a)}, 'norm': {'scale': jnp.asarray(b)}}


def stage(seed):
  return {'stage1': {f'block{n}': block(10 * seed + n) for n in range(1, 5)}}


def run(optimizer, change=lambda tree: tree, **given):
  """Returns the parameters after three steps, a schedule's if it takes one."""
  rate = optax.linear_schedule(0.5, 0.1, 4)
  params = change(stage(0))
  state = optimizer.init(params)
  for step in range(3):
    if given:
      given = {'learning_rate': rate(step)}
    deltas, state = optimizer.update(
      change(stage(step + 1)), state, params, **given
    )
    params = optax.apply_updates(params, deltas)
  return params


@pytest.mark.parametrize('name', OPTAXES)
def test_lars_and_lamb_are_optaxs_with_the_rate_from_outside(name):
  rule = make_optimizer(momentum=0.9, weight_decay=0.1, **OURS[name])
  ours, theirs = run(rule, learning_rate=0.0), run(OPTAXES[name])
  for one, other in zip(
    jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True
  ):
    np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize('name', OPTAXES)
def test_stacked_blocks_have_each_their_own_norm(name):
  rule = make_optimizer(
    momentum=0.9, weight_decay=0.1, is_stacked=is_stacked, **OURS[name]
  )
  plain = run(rule, learning_rate=0.0)
  stacked = run(rule, stack, learning_rate=0.0)
  assert set(stacked['stage1']) == {'block1', 'blocks'}
  for one, other in zip(
    jax.tree.leaves(plain), jax.tree.leaves(unstack(stacked)), strict=True
  ):
    np.testing.assert_allclose(one, other, rtol=1e-5)
