"""SGD, against NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

from resflax.errors import UsageError
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
    deltas, state = optimizer.update(gradients, state, params)
    params = {
      group: {n: leaf - lr * deltas[group][n] for n, leaf in leaves.items()}
      for group, leaves in params.items()
    }
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
    deltas, state = optimizer.update(gradient, state, params)
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
