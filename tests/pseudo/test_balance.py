"""Which images are kept, and how often, by hand."""

import numpy as np
import pytest

from resflax.pseudo.balance import copies_of, spread

# Class 0 has four images, class 1 two, class 2 one; the last is damaged.
LABELS = np.array([0, 1, 0, 0, 2, 1, 0, -1])
CONFIDENCES = np.array([0.9, 0.5, 0.2, 0.7, 0.4, 0.6, 0.7, 0.0], np.float32)


def copies(per_class, least=0.3):
  found = copies_of(
    LABELS, CONFIDENCES, 4, min_confidence=least, per_class=per_class
  )
  return found.tolist()


def test_without_balancing_each_that_passes_is_kept_once():
  assert copies(0) == [1, 1, 0, 1, 1, 1, 1, 0]
  assert copies(0, least=0.0) == [1, 1, 1, 1, 1, 1, 1, 0]
  assert copies(0, least=0.95) == [0] * 8


def test_the_most_confident_are_kept_and_copied():
  # Of equals, the first.
  assert copies(2) == [1, 1, 0, 1, 2, 1, 0, 0]
  assert copies(3) == [1, 1, 0, 1, 3, 2, 1, 0]
  assert copies(5) == [2, 2, 0, 2, 5, 3, 1, 0]


def test_by_itself_it_keeps_as_many_as_pass_in_the_mean():
  # 6 pass, of 4 classes: 1.5, to even.
  assert copies(None) == copies(2)


@pytest.mark.parametrize('seed', range(3))
def test_every_class_that_has_images_gets_as_many(seed):
  rng = np.random.default_rng(seed)
  labels = rng.choice(5, 400, p=[0.5, 0.3, 0.15, 0.05, 0.0])
  found = copies_of(
    labels,
    rng.random(400, np.float32),
    5,
    min_confidence=0.3,
    per_class=50,
  )
  assert np.bincount(labels, found, 5).tolist() == [50, 50, 50, 50, 0]


def test_copies_are_spread_and_all_there():
  found = spread(np.array([1, 0, 3, 1, 1, 2, 0, 0]))
  assert np.bincount(found, minlength=8).tolist() == [1, 0, 3, 1, 1, 2, 0, 0]
  # Image 2 at 2, 4.67 and 7.33; image 5 at 5 and 1.
  assert found.tolist() == [0, 5, 2, 3, 4, 2, 5, 2]
  np.testing.assert_array_equal(spread(np.ones(5, np.int32)), range(5))
