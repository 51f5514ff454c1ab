"""SGD, against NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.training.optimizers import kernels_only, make_optimizer

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
