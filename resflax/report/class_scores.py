"""Which classes a model knows, and which it takes for another."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from resflax.report.read import Evaluation

MOST_CLASSES = 30  # shown one by one: what a page holds and an eye compares


class Pair(NamedTuple):
  """How many examples of class `label` were taken for `prediction`."""

  label: int
  prediction: int
  count: int


def wilson(
  correct: Int[np.ndarray, '*n'], count: Int[np.ndarray, '*n'], z: float = 1.96
) -> tuple[Float[np.ndarray, '*n'], Float[np.ndarray, '*n']]:
  """Returns the 95 % interval of a share, right also near 0 and 1.

  Source: Wilson (1927), "Probable inference, the law of succession, and
  statistical inference", JASA 22.

  Args:
    correct: successes.
    count: trials, at least 1.
    z: the normal quantile of the confidence.
  """
  share = correct / count
  center = (share + z**2 / (2 * count)) / (1 + z**2 / count)
  spread = np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
  half = z * spread / (1 + z**2 / count)
  return center - half, center + half


def class_counts(
  evaluation: Evaluation,
) -> tuple[Int[np.ndarray, ' classes'], Int[np.ndarray, ' classes']]:
  """Returns the correct and all examples of each class."""
  size = len(evaluation.class_names)
  correct = np.bincount(evaluation.label[evaluation.correct], minlength=size)
  return correct, np.bincount(evaluation.label, minlength=size)


def worst_classes(evaluation: Evaluation) -> Int[np.ndarray, ' shown']:
  """Returns the classes of the lowest accuracy, worst first, with examples."""
  correct, count = class_counts(evaluation)
  present = np.flatnonzero(count)
  accuracy = correct[present] / count[present]
  return present[np.argsort(accuracy, kind='stable')][:MOST_CLASSES]


def confusions(evaluation: Evaluation) -> list[Pair]:
  """Returns every pair of true and predicted class, the most frequent first."""
  size = len(evaluation.class_names)
  code = evaluation.label.astype(np.int64) * size + evaluation.prediction
  codes, counts = np.unique(code, return_counts=True)
  order = np.argsort(-counts, kind='stable')
  return [
    Pair(int(code // size), int(code % size), int(count))
    for code, count in zip(codes[order], counts[order], strict=True)
  ]
