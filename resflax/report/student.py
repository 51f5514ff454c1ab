"""Student's interval of a mean, and of what one recipe adds to another."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats


def half_width(values: Sequence[float] | np.ndarray) -> float:
  """Returns half the 95 % interval of a mean; NaN below two values."""
  if len(values) < 2:
    return np.nan
  spread = np.std(values, ddof=1) / np.sqrt(len(values))
  return float(stats.t.ppf(0.975, len(values) - 1) * spread)


def common_half_width(
  draws: Sequence[Sequence[float] | np.ndarray], level: float
) -> float:
  """Returns half the interval of one value, of a spread that all draws share.

  Zero where no draw has two values.

  Args:
    draws: values about a mean of their own each.
    level: of the interval.
  """
  freedom = sum(len(values) - 1 for values in draws)
  if not freedom:
    return 0.0
  squares = sum(((values - np.mean(values)) ** 2).sum() for values in draws)
  reach = stats.t.ppf((1 + level) / 2, freedom)
  return float(reach * np.sqrt(squares / freedom))


def paired(
  scores: Mapping[int, float], others: Mapping[int, float]
) -> tuple[float, float]:
  """Returns the mean difference and its half-width, over common seeds.

  Args:
    scores: by seed.
    others: what is subtracted, by seed.
  """
  both = sorted(scores.keys() & others.keys())
  differences = np.array([scores[seed] - others[seed] for seed in both])
  mean = float(differences.mean()) if both else np.nan
  return mean, half_width(differences)
