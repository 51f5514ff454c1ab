"""Fifty steps of the moving average, against NumPy in float64.

Where batch norm keeps the last batch's statistics alone (a momentum of 0, as
ResNet-RS has it), the average is all that evaluation sees of them.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resflax.models import build_model
from resflax.models.conv import Conv
from resflax.models.layers import GroupBatchNorm
from resflax.training.losses import cross_entropy
from resflax.training.mixing import Targets
from resflax.training.optimizers import make_optimizer
from resflax.training.state import create_state
from resflax.training.steps import make_train_step

STEPS, DECAY = 50, 0.8  # (1 + n) / (10 + n) is 0.8 at n = 35
TOLERANCE = 1e-5


class OneLayer(nn.Module):
  """Of one convolution, whose statistics are those of three lines of NumPy."""

  @nn.compact
  def __call__(self, images, *, train):
    x = Conv(6, 3, name='conv')(images)
    x = GroupBatchNorm(momentum=0.0, name='norm')(x, train=train)
    return nn.Dense(4, name='head')(nn.relu(x).mean((1, 2)))


def batches():
  """Yields other images at each step, brighter and brighter."""
  rng = np.random.default_rng(5)
  for number in range(STEPS):
    images = rng.normal(number / STEPS, 1.0, (16, 8, 8, 3)).astype(np.float32)
    yield images, rng.integers(0, 4, 16).astype(np.int32)


def states(model):
  """Returns the states before and after each of fifty steps of the trainer."""

  def forward(variables, images, *, train, rngs):
    return model.apply(
      variables, images, train=train, rngs=rngs, mutable=['batch_stats']
    )

  optimizer = make_optimizer(
    'sgd', momentum=0.9, nesterov=False, weight_decay=1e-4
  )
  step = make_train_step(
    forward,
    lambda key, images, labels: (images, Targets(labels)),
    cross_entropy,
    optimizer,
    lambda step: 0.05,
    seed=0,
    ema_decay=DECAY,
    ema_dynamic=True,
  )
  shape = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32)
  variables = model.lazy_init(jax.random.key(3), shape, train=False)
  state = create_state(variables, optimizer, ema=True)
  found, step = [jax.device_get(state)], jax.jit(step)
  for images, labels in batches():
    state, metrics = step(state, {'image': images, 'label': labels})
    assert metrics['finite']
    found.append(jax.device_get(state))
  return found


def in_float64(tree):
  return jax.tree.map(lambda x: np.asarray(x, np.float64), tree)


def averages(found):
  """Yields the average after each step, by the formula of TF's class.

  Source: tf.train.ExponentialMovingAverage:
    decay = min(decay, (1 + num_updates) / (10 + num_updates));
    shadow -= (1 - decay) * (shadow - variable).
  """
  shadow = in_float64(found[0].variables)
  for updates, state in enumerate(found[1:]):
    rest = 1 - min(DECAY, (1 + updates) / (10 + updates))
    shadow = jax.tree.map(
      lambda s, v, rest=rest: s - rest * (s - v),
      shadow,
      in_float64(state.variables),
    )
    yield shadow


def assert_close(ours, theirs):
  """Each leaf, relative to its largest element."""
  assert jax.tree.structure(ours) == jax.tree.structure(theirs)
  for one, other in zip(
    jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True
  ):
    difference = np.abs(one - other).max()
    assert difference <= TOLERANCE * np.abs(other).max()


def assert_averages(found):
  for state, expected in zip(found[1:], averages(found), strict=True):
    assert_close(state.ema, expected)
  assert int(found[-1].step) == STEPS
  # The last batch and the average are not the same thing.
  last, average = (
    np.concatenate([x.ravel() for x in jax.tree.leaves(tree['batch_stats'])])
    for tree in (found[-1].variables, found[-1].ema)
  )
  assert np.abs(last - average).max() > 100 * TOLERANCE


def test_average_and_statistics_of_one_layer():
  found = states(OneLayer())
  assert_averages(found)
  for (images, _), before, after in zip(
    batches(), found, found[1:], strict=False
  ):
    kernel = np.asarray(before.params['conv']['kernel'], np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(
      np.pad(in_float64(images), ((0, 0), (1, 1), (1, 1), (0, 0))),
      (3, 3),
      (1, 2),
    )
    outputs = np.einsum('nhwcij,ijco->nhwo', windows, kernel)
    mean = outputs.mean((0, 1, 2))
    var = np.square(outputs - mean).mean((0, 1, 2))
    assert_close(after.batch_stats['norm'], {'mean': mean, 'var': var})


@pytest.mark.slow
def test_average_of_a_resnet():
  model = build_model(
    {
      'variant': 'resnet20_cifar',
      'depths': (1, 1, 1),
      'width': 0.25,
      'norm': {'momentum': 0.0},
    },
    num_classes=4,
  )
  assert_averages(states(model))
