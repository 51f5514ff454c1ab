"""Cross-entropy and hits, against NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

from resflax.training.losses import (
  SoftLabels,
  cross_entropy,
  distillation,
  in_top_k,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('smoothing', [0.0, 0.1, 1.0])
def test_cross_entropy_is_that_of_smoothed_targets(smoothing):
  logits = RNG.normal(size=(5, 7)).astype(np.float32)
  labels = np.array([0, 6, 3, 3, 1])
  targets = np.eye(7)[labels] * (1 - smoothing) + smoothing / 7
  log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
  expected = -(targets * log_p).sum(-1)
  actual = cross_entropy(jnp.asarray(logits), jnp.asarray(labels), smoothing)
  np.testing.assert_allclose(actual, expected, rtol=1e-5)


def soft_labels(rows, k):
  """Returns the k likeliest classes of rows of probabilities."""
  classes = np.argsort(-rows, axis=-1)[:, :k]
  weights = np.take_along_axis(rows, classes, axis=-1)
  return SoftLabels(*map(jnp.asarray, (classes[:, 0], classes, weights)))


@pytest.mark.parametrize('k', [1, 3, 7])
def test_soft_labels_are_targets_whose_rest_is_spread(k):
  logits = RNG.normal(size=(5, 7)).astype(np.float32)
  log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
  rows = RNG.dirichlet(np.ones(7), size=5).astype(np.float32)
  targets = np.zeros_like(rows)
  for row, target in zip(rows, targets, strict=True):
    listed = np.argsort(-row)[:k]
    if k < 7:
      target[:] = (1 - row[listed].sum()) / (7 - k)
    target[listed] = row[listed]
  np.testing.assert_allclose(targets.sum(-1), 1, rtol=1e-5)
  expected = -(targets * log_p).sum(-1)
  # Smoothing is for labels of one class alone.
  actual = cross_entropy(jnp.asarray(logits), soft_labels(rows, k), 0.1)
  np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_rows_without_weights_have_their_label():
  logits = jnp.asarray(RNG.normal(size=(4, 7)).astype(np.float32))
  labels = soft_labels(RNG.dirichlet(np.ones(7), size=4), 2)
  none = labels._replace(weights=labels.weights.at[1:3].set(0))
  expected = np.where(
    [False, True, True, False],
    cross_entropy(logits, labels.hard, 0.1),
    cross_entropy(logits, labels, 0.1),
  )
  np.testing.assert_array_equal(cross_entropy(logits, none, 0.1), expected)


def test_distillation_is_hintons():
  logits, teacher = RNG.normal(size=(2, 5, 7)).astype(np.float32)

  def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

  soft, log_p = softmax(teacher / 20), np.log(softmax(logits / 20))
  actual = distillation(jnp.asarray(logits), jnp.asarray(teacher), 20.0)
  np.testing.assert_allclose(actual, -400 * (soft * log_p).sum(-1), rtol=1e-4)


@pytest.mark.parametrize('k', [1, 3, 5])
def test_in_top_k_is_that_of_a_stable_sort(k):
  logits = RNG.integers(0, 4, size=(200, 6)).astype(np.float32)  # many ties
  labels = RNG.integers(0, 6, size=200)
  order = np.argsort(-logits, axis=-1, kind='stable')[:, :k]
  expected = (order == labels[:, None]).any(-1)
  actual = in_top_k(jnp.asarray(logits), jnp.asarray(labels), k)
  np.testing.assert_array_equal(actual, expected)


def test_equal_logits_are_right_for_one_class_alone():
  hits = in_top_k(jnp.zeros((4, 4)), jnp.arange(4), 1)
  assert hits.tolist() == [True, False, False, False]


def test_logits_that_are_not_numbers_are_never_right():
  logits = jnp.array([[jnp.nan, 1.0], [0.0, jnp.nan], [jnp.nan, jnp.nan]])
  assert not in_top_k(logits, jnp.array([0, 0, 1]), 2).any()
