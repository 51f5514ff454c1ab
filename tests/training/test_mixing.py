"""Mixup and cutmix, against their papers' code in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.training.losses import SoftLabels, cross_entropy
from resflax.training.mixing import Targets, cutmix_map, mix, mixup_weight

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(5, 8, 6, 3)).astype(np.float32)
LABELS = np.array([3, 1, 0, 2, 1])


def mixed(seed, **options):
  options = {'mixup': 0.0, 'cutmix': 0.0} | options
  key = jax.random.key(seed)
  return mix(key, jnp.asarray(IMAGES), jnp.asarray(LABELS), **options)


def test_mixup_is_one_weighted_mean_a_batch():
  images, targets = mixed(0, mixup=0.4)
  weight = np.asarray(targets.weight)
  assert len(set(weight.tolist())) == 1 and 0 <= weight[0] <= 1
  np.testing.assert_array_equal(targets.labels, LABELS)
  np.testing.assert_array_equal(targets.others, [1, 0, 2, 1, 3])
  partner = np.roll(IMAGES, -1, axis=0)
  expected = weight[0] * IMAGES + (1 - weight[0]) * partner
  np.testing.assert_allclose(images, expected, rtol=1e-5, atol=1e-6)


def test_mixups_weight_is_of_the_beta_distribution():
  keys = jax.random.split(jax.random.key(0), 4000)
  weights = np.asarray(jax.vmap(lambda k: mixup_weight(k, 0.2))(keys))
  assert weights.mean() == pytest.approx(0.5, abs=0.03)
  # The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
  assert weights.var() == pytest.approx(1 / 5.6, rel=0.05)


def test_cutmix_pastes_a_box_and_weighs_by_its_pixels():
  seen = set()
  for seed in range(20):
    images, targets = mixed(seed, cutmix=1.0)
    partner = np.roll(IMAGES, -1, axis=0)
    pasted = np.asarray(images != IMAGES).any((0, 3))
    np.testing.assert_array_equal(
      images, np.where(pasted[None, :, :, None], partner, IMAGES)
    )
    rows, columns = pasted.any(1), pasted.any(0)
    np.testing.assert_array_equal(pasted, rows[:, None] & columns[None, :])
    weight = 1 - pasted.mean()
    np.testing.assert_allclose(targets.weight, weight, rtol=1e-6)
    seen.add(round(float(weight), 3))
  assert len(seen) > 8


def numpy_cutmix(rng, height, width):
  """`rand_bbox` of the authors' train.py."""
  cut = np.sqrt(1 - rng.beta(1.0, 1.0))
  h, w = int(height * cut), int(width * cut)
  y, x = rng.integers(height), rng.integers(width)
  top, bottom = np.clip([y - h // 2, y + h // 2], 0, height)
  left, right = np.clip([x - w // 2, x + w // 2], 0, width)
  return 1 - (bottom - top) * (right - left) / (height * width)


def test_cutmixs_boxes_are_as_large_as_the_authors():
  keys = jax.random.split(jax.random.key(0), 4000)
  maps = jax.vmap(lambda k: cutmix_map(k, (32, 24), 1.0))(keys)
  ours = np.sort(np.asarray(maps.mean((1, 2))))
  rng = np.random.default_rng(0)
  theirs = np.sort([numpy_cutmix(rng, 32, 24) for _ in range(4000)])
  assert np.abs(ours - theirs).max() < 0.04  # of two samples' quantiles
  assert ours.mean() == pytest.approx(theirs.mean(), abs=0.015)


def test_with_both_on_each_has_its_turn():
  kinds = []
  for seed in range(40):
    images, _ = mixed(seed, mixup=1.0, cutmix=1.0)
    either = (images == IMAGES) | (images == np.roll(IMAGES, -1, axis=0))
    kinds.append(bool(np.asarray(either).all()))
  assert 10 < sum(kinds) < 30


def test_the_loss_is_that_of_soft_targets():
  logits = jnp.asarray(RNG.normal(size=(5, 4)), jnp.float32)
  weight = np.array([0.3, 1.0, 0.0, 0.5, 0.9], np.float32)
  targets = Targets(
    jnp.asarray(LABELS), jnp.asarray(np.roll(LABELS, -1)), jnp.asarray(weight)
  )
  actual = targets.average(lambda labels: cross_entropy(logits, labels, 0.1))
  soft = weight[:, None] * np.eye(4)[LABELS]
  soft += (1 - weight[:, None]) * np.eye(4)[np.roll(LABELS, -1)]
  soft = 0.9 * soft + 0.1 / 4
  log_p = np.asarray(jax.nn.log_softmax(logits))
  np.testing.assert_allclose(actual, -(soft * log_p).sum(-1), rtol=1e-5)


def test_soft_labels_are_mixed_like_others():
  """The loss is that against the mean of both targets, one of them hard."""
  dense = RNG.dirichlet(np.ones(4), size=5).astype(np.float32)
  dense[1] = np.eye(4)[LABELS[1]]
  classes = np.argsort(-dense, axis=-1)
  weights = np.take_along_axis(dense, classes, axis=-1)
  weights[1] = 0  # its label counts
  hard = np.where(np.arange(5) == 1, LABELS, classes[:, 0])
  labels = SoftLabels(*map(jnp.asarray, (hard, classes, weights)))
  _, targets = mix(
    jax.random.key(2), jnp.asarray(IMAGES), labels, mixup=0.4, cutmix=0.0
  )
  share = np.asarray(targets.weight)[:, None]
  mean = share * dense + (1 - share) * np.roll(dense, -1, axis=0)
  logits = RNG.normal(size=(5, 4)).astype(np.float32)
  log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
  value = targets.average(lambda x: cross_entropy(jnp.asarray(logits), x))
  np.testing.assert_allclose(value, -(mean * log_p).sum(-1), rtol=1e-5)
