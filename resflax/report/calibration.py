"""Whether a net is as often right as it is sure."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 15  # as Guo et al. 2017 report


class Calibration(NamedTuple):
  """Examples by the probability of the class they were given.

  Attributes:
    edges: of the bins, from 0 to 1; a bin holds its upper edge.
    count: examples of each bin.
    confidence: their mean probability; 0 in an empty bin.
    accuracy: part of them that is right; 0 in an empty bin.
  """

  edges: Float[np.ndarray, ' edges']
  count: Int[np.ndarray, ' bins']
  confidence: Float[np.ndarray, ' bins']
  accuracy: Float[np.ndarray, ' bins']

  @property
  def error(self) -> float:
    """The expected calibration error (ECE), in 0..1.

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3.
    """
    gap = np.abs(self.accuracy - self.confidence)
    return float((self.count * gap).sum() / self.count.sum())


def calibration(
  probability: Float[np.ndarray, ' n'],
  right: Bool[np.ndarray, ' n'],
  bins: int = BINS,
) -> Calibration:
  """Counts examples in bins of equal width.

  Args:
    probability: of the predicted class of each example, in 0..1.
    right: whether it is the example's.
    bins: how many.
  """
  edges = np.linspace(0, 1, bins + 1)
  place = np.clip(np.searchsorted(edges, probability) - 1, 0, bins - 1)
  count = np.bincount(place, minlength=bins)

  def mean(values):
    total = np.bincount(place, values.astype(np.float64), minlength=bins)
    return total / np.maximum(count, 1)

  return Calibration(edges, count, mean(probability), mean(right))
