"""Classifiers of features against arithmetic in the open."""

import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.evaluation.classifiers import (
  STRENGTHS,
  Features,
  held_out,
  linear,
  nearest,
)


def blobs(seed, count=90, classes=3, spread=1.0):
  """Classes of one centre each, in 4 dimensions, labels by turns."""
  rng = np.random.default_rng(seed)
  labels = (np.arange(count) % classes).astype(np.int32)
  centres = 2 * np.eye(4, dtype=np.float32)[labels]
  noise = rng.normal(0, spread, (count, 4)).astype(np.float32)
  return Features(centres + noise, labels)


def test_neighbours_vote_as_their_formula_says():
  train, test = blobs(0), blobs(1, 41)
  ks = (1, 5, 20, 90)
  found = nearest(train, test, ks)
  a, b = (f.values.astype(np.float64) for f in (train, test))
  cosine = b @ a.T
  cosine /= np.linalg.norm(b, axis=1)[:, None] * np.linalg.norm(a, axis=1)
  for k in ks:
    right = 0
    for row, label in zip(cosine, test.labels, strict=True):
      votes = dict.fromkeys(range(3), 0.0)
      for i in sorted(range(90), key=lambda i: -row[i])[:k]:
        votes[train.labels[i]] += np.exp(row[i] / 0.07)
      right += max(votes, key=votes.get) == label
    assert found[k] == right / 41
  assert len({*found.values()}) > 1  # they do differ here


def test_an_image_is_nearest_to_itself_whatever_its_length():
  train = blobs(0)
  longer = Features(train.values * np.float32(7), train.labels)
  assert nearest(longer, train, [1]) == {1: 1.0}


def test_no_feature_at_all_is_no_error():
  train = blobs(0)
  none = Features(np.zeros_like(train.values), train.labels)
  assert nearest(train, none, [90])[90] == pytest.approx(1 / 3)


def gradient(train, weights, bias, l2):
  """Of the sum of losses and l2 / 2 times the squared weights."""
  logits = train.values.astype(np.float64) @ weights + bias
  p = np.exp(logits - logits.max(1, keepdims=True))
  p /= p.sum(1, keepdims=True)
  p -= np.eye(3)[train.labels]
  return train.values.T @ p + l2 * weights, p.sum(0)


def test_l2_is_of_the_sum_of_losses(monkeypatch):
  """The fit has no gradient left, of the loss as it is documented."""
  from resflax.evaluation import classifiers

  models = []
  make = classifiers._model
  monkeypatch.setattr(
    classifiers, '_model', lambda: models.append(make()) or models[-1]
  )
  train = blobs(0)
  found = linear(train, train, strengths=[3.0])
  assert (found.l2, found.val_top1, found.val_count) == (3.0, None, None)
  weights, bias = models[0].coef_.T, models[0].intercept_
  for g in gradient(train, weights, bias, 3.0):
    assert np.abs(g).max() < 0.05  # of 30 images a class
  assert np.abs(gradient(train, weights, bias, 6.0)[0]).max() > 1


def test_the_strength_is_the_best_on_validation():
  train, val, test = blobs(0, 30), blobs(1, 60), blobs(2, 120)
  found = linear(train, test, val=val, strengths=STRENGTHS[::6])
  scores = {s: linear(train, val, strengths=[s]).top1 for s in STRENGTHS[::6]}
  assert found.val_top1 == pytest.approx(max(scores.values()), abs=1 / 60)
  assert len({*scores.values()}) > 2
  assert found.val_count == 60 and found.converged
  # And the last fit has seen both.
  both = linear(train.joined(val), test, strengths=[found.l2])
  assert found.top1 == both.top1 > 0.6


def test_of_equal_accuracies_the_loss_decides():
  """Without noise strengths of 100 tell all apart too: weak ones are surer."""
  train = blobs(0, spread=0.01)
  found = linear(train, train)
  assert found.top1 == found.val_top1 == 1.0
  assert found.l2 < 0.01
  assert linear(train, train, strengths=[100.0]).top1 == 1.0


def test_without_validation_a_fifth_of_each_class_is_held_out():
  labels = np.repeat([0, 1, 2], [11, 5, 4]).astype(np.int32)
  values = np.arange(20, dtype=np.float32)[:, None]
  fit, held = held_out(Features(values, labels))
  assert held.values[:, 0].tolist() == [4, 9, 15]
  assert held.labels.tolist() == [0, 0, 1]
  assert sorted([*fit.values[:, 0], *held.values[:, 0]]) == list(range(20))
  few = Features(values[:4], labels[-4:])
  with pytest.raises(UsageError, match='No class has 5 images.*--l2'):
    linear(few, few)


def test_the_same_comes_out_again():
  train, test = blobs(0), blobs(1)
  one, two = (linear(train, test, strengths=(10.0, 0.1)) for _ in range(2))
  assert one == two
  assert nearest(train, test, [5]) == nearest(train, test, [5])


def test_classes_that_only_the_test_has_are_wrong():
  train = blobs(0, spread=0.01)
  test = Features(train.values, train.labels + np.int32(1))
  val = Features(train.values, np.full(90, 7, np.int32))
  assert linear(train, test, val=val, strengths=(1.0, 2.0)).val_top1 == 0.0
  assert nearest(train, test, [1]) == {1: 0.0}
