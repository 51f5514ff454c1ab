"""The training step, against NumPy on a linear model."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.training.losses import cross_entropy
from resflax.training.mixing import Targets
from resflax.training.optimizers import make_optimizer
from resflax.training.state import create_state
from resflax.training.steps import make_eval_step, make_train_step

LABELS = np.array([0, 2, 1, 1])
IMAGES = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
KERNEL = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


def forward(variables, images, *, train, rngs):
  del rngs
  logits = images @ variables['params']['kernel']
  updates = {'batch_stats': {'mean': images.mean(0)}} if train else {}
  return logits, updates


def distort(key, images, labels):
  del key
  return images, Targets(labels)


def softmax(x):
  e = np.exp(x - x.max(-1, keepdims=True))
  return e / e.sum(-1, keepdims=True)


def make(learning_rate=lambda step: 0.5 * (step + 1), ema=True, **options):
  optimizer = make_optimizer(
    'sgd', momentum=0.9, nesterov=False, weight_decay=0.01
  )
  variables = {
    'params': {'kernel': jnp.asarray(KERNEL)},
    'batch_stats': {'mean': jnp.zeros(5)},
  }
  state = create_state(variables, optimizer, ema=ema)
  step = make_train_step(
    forward,
    options.pop('distort', distort),
    cross_entropy,
    optimizer,
    learning_rate,
    seed=0,
    ema_decay=0.5,
    ema_dynamic=False,
    **options,
  )
  return jax.jit(step), state


def test_three_steps_equal_numpys():
  step, state = make()
  batch = {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)}
  kernel, velocity, ema = KERNEL.astype(np.float64), 0.0, KERNEL
  for n in range(3):
    p = softmax(IMAGES @ kernel)
    loss = -np.log(p[np.arange(4), LABELS]).mean()
    gradient = IMAGES.T @ (p - np.eye(3)[LABELS]) / 4 + 0.01 * kernel
    velocity = 0.9 * velocity + gradient
    kernel = kernel - 0.5 * (n + 1) * velocity
    ema = 0.5 * ema + 0.5 * kernel
    state, metrics = step(state, batch)
    assert metrics['finite']
    assert float(metrics['loss']) == pytest.approx(loss, rel=1e-5)
    assert float(metrics['top1']) == (p.argmax(-1) == LABELS).mean()
    np.testing.assert_allclose(state.params['kernel'], kernel, rtol=1e-4)
    np.testing.assert_allclose(
      state.ema['params']['kernel'], ema, rtol=1e-4, atol=1e-6
    )
  assert int(state.step) == 3
  np.testing.assert_allclose(
    state.batch_stats['mean'], IMAGES.mean(0), rtol=1e-5, atol=1e-6
  )


def test_without_an_average_there_is_none():
  step, state = make(ema=False)
  batch = {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)}
  assert step(state, batch)[0].ema is None


@pytest.mark.parametrize('value', [jnp.nan, jnp.inf])
def test_a_step_that_is_not_finite_changes_nothing_but_the_step(value):
  step, state = make()
  images = jnp.asarray(IMAGES).at[0, 0].set(value)
  batch = {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)}
  before, _ = step(state, batch)
  after, metrics = step(before, {**batch, 'image': images})
  assert not metrics['finite']
  jax.tree.map(
    np.testing.assert_array_equal, after, before.replace(step=before.step + 1)
  )


def test_randomness_follows_the_seed_and_the_step_alone():
  keys = []

  def recording(variables, images, *, train, rngs):
    keys.append(jax.random.key_data(rngs['dropout']).tolist())
    return forward(variables, images, train=train, rngs=rngs)

  optimizer = make_optimizer(
    'sgd', momentum=0.0, nesterov=False, weight_decay=0.0
  )
  variables = {
    'params': {'kernel': jnp.asarray(KERNEL)},
    'batch_stats': {'mean': jnp.zeros(IMAGES.shape[1:])},
  }
  batch = {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)}
  build = functools.partial(
    make_train_step,
    recording,
    distort,
    cross_entropy,
    optimizer,
    lambda step: 0.1,
    ema_decay=0.5,
    ema_dynamic=False,
  )
  state = create_state(variables, optimizer, ema=False)
  for seed, n in ((0, 0), (0, 1), (0, 0), (1, 0)):
    build(seed=seed)(state.replace(step=jnp.int32(n)), batch)
  assert keys[0] == keys[2]
  assert len({str(k) for k in keys}) == 3


def test_eval_step_gives_one_number_an_example():
  logits = IMAGES @ KERNEL

  def predict(variables, images):
    return images @ variables['params']['kernel']

  outputs = make_eval_step(predict, cross_entropy)(
    {'params': {'kernel': jnp.asarray(KERNEL)}},
    {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)},
  )
  p = softmax(logits)
  np.testing.assert_array_equal(outputs['prediction'], logits.argmax(-1))
  np.testing.assert_array_equal(outputs['top1'], logits.argmax(-1) == LABELS)
  assert outputs['top5'].all()
  np.testing.assert_allclose(outputs['probability'], p.max(-1), rtol=1e-5)
  np.testing.assert_allclose(
    outputs['label_probability'], p[np.arange(4), LABELS], rtol=1e-4
  )


BATCH = {'image': jnp.asarray(IMAGES), 'label': jnp.asarray(LABELS)}


def test_mixed_targets_weigh_loss_and_hits():
  weight = np.array([0.7, 1.0, 0.2, 0.5], np.float32)

  def mixing(key, images, labels):
    del key
    return images, Targets(labels, jnp.roll(labels, -1), jnp.asarray(weight))

  step, state = make(distort=mixing)
  _, metrics = step(state, BATCH)
  targets = weight[:, None] * np.eye(3)[LABELS]
  targets += (1 - weight[:, None]) * np.eye(3)[np.roll(LABELS, -1)]
  p = softmax(IMAGES @ KERNEL)
  loss = -(targets * np.log(p)).sum(-1).mean()
  assert float(metrics['loss']) == pytest.approx(loss, rel=1e-5)
  hits = targets[np.arange(4), p.argmax(-1)].mean()
  assert float(metrics['top1']) == pytest.approx(hits, rel=1e-6)


def test_accumulated_parts_are_the_whole_batch():
  def halves(arrays):
    return jax.tree.map(lambda x: x.reshape(2, 2, *x.shape[1:]), arrays)

  whole, state = make()
  parts, _ = make(split=halves)
  (at_once, metrics), (in_parts, others) = (
    whole(state, BATCH),
    parts(state, BATCH),
  )
  for one, other in zip(
    jax.tree.leaves((at_once, metrics)),
    jax.tree.leaves((in_parts, others)),
    strict=True,
  ):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_gradient_norms_are_those_of_the_parts_of_the_net():
  step, state = make(gradient_norms=True)
  _, metrics = step(state, BATCH)
  p = softmax(IMAGES @ KERNEL)
  gradient = IMAGES.T @ (p - np.eye(3)[LABELS]) / 4
  expected = np.linalg.norm(gradient)
  found = float(metrics['gradient_norm/kernel'])
  assert found == pytest.approx(expected, rel=1e-5)
  assert 'gradient_norm/kernel' not in make()[0](state, BATCH)[1]
