import dataclasses

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from resflax.report.class_scores import (
  MOST_CLASSES,
  class_counts,
  confusions,
  wilson,
  worst_classes,
)
from resflax.report.read import read_run


@pytest.mark.parametrize(
  ('correct', 'count', 'low', 'high'),
  [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
  ],
)
def test_wilson_equals_published_intervals(correct, count, low, high):
  # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
  bounds = wilson(np.array([correct]), np.array([count]))
  np.testing.assert_allclose(np.ravel(bounds), [low, high], atol=6e-5)


def test_confusions_equal_the_confusion_matrix(write_run):
  evaluation = read_run(write_run()).evaluation
  matrix = np.zeros((10, 10), int)
  counts = []
  for label, prediction, count in confusions(evaluation):
    matrix[label, prediction] = count
    counts.append(count)
  expected = confusion_matrix(evaluation.label, evaluation.prediction)
  np.testing.assert_array_equal(matrix, expected)
  assert counts == sorted(counts, reverse=True)
  correct, count = class_counts(evaluation)
  np.testing.assert_array_equal(correct, np.diag(expected))
  np.testing.assert_array_equal(count, expected.sum(1))


def test_the_worst_classes_come_first_and_are_not_too_many(write_run):
  evaluation = read_run(write_run(num_classes=100)).evaluation
  shown = worst_classes(evaluation)
  correct, count = class_counts(evaluation)
  accuracy = correct / count
  assert len(shown) == MOST_CLASSES
  np.testing.assert_array_equal(
    accuracy[shown], np.sort(accuracy)[:MOST_CLASSES]
  )


def test_a_class_without_examples_has_no_accuracy(write_run):
  evaluation = read_run(write_run()).evaluation
  evaluation = dataclasses.replace(
    evaluation, class_names=(*evaluation.class_names, 'unseen')
  )
  assert set(worst_classes(evaluation)) == set(range(10))
