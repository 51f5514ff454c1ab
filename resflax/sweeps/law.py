"""The law of a set of points with its intervals, or why there is none."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from resflax.errors import UsageError
from resflax.sweeps.fit import Estimate, fit
from resflax.sweeps.intervals import (
  LEVEL,
  Interval,
  Refits,
  band,
  bca,
  bootstrap,
  profile,
)
from resflax.sweeps.points import Point
from resflax.sweeps.solver import EXPONENT, EXPONENTS, FLOOR
from resflax.sweeps.solver import PARAMETERS as NAMES

LEAST_POINTS = 6
LEAST_DECADES = 1.5
REFITS = 1000
_MOST_REFUSED = 0.5
_BEYOND = 4  # times the largest compute, where a band ends


class NotIdentified(UsageError):
  """Points that no law, or more than one, can be read from."""


def law_of(
  points: Sequence[Point],
  metric: str,
  *,
  level: float = LEVEL,
  least_decades: int | float = LEAST_DECADES,
  refits: int = REFITS,
) -> dict:
  """Returns the law of points, with its intervals.

  Raises:
    NotIdentified: too few points, too narrow a range, or data that leave the
      exponent or the floor open.
  """
  estimate, drawn = estimated(points, metric, least_decades, refits)
  ends = [profile(estimate, index, level) for index in range(len(NAMES))]
  _check_identified(ends, estimate, drawn)
  entry = {}
  for index, name in enumerate(NAMES):
    # The floor and the scale are fitted as logs.
    unlog = float if index == EXPONENT else math.exp
    beside = bca(drawn, index, level)
    entry[name] = {
      'value': unlog(estimate.theta[index]),
      'interval': [unlog(end) for end in ends[index]],
      'bca': [unlog(end) for end in beside],
    }
  return {
    **entry,
    'unit': estimate.law.unit,
    'decades': decades(points),
    'residuals': estimate.residuals.tolist(),
    'residual_sd': math.sqrt(estimate.variance),
    'lack_of_fit_p': lack_of_fit(points, metric, estimate),
    'refits': refits,
    'refits_refused': drawn.refused,
    'band': _band(estimate, drawn, level),
  }


def _band(estimate: Estimate, drawn: Refits, level: float) -> dict:
  """Returns the law and the ends of its band, as a figure draws them."""
  x = np.linspace(estimate.x.min(), estimate.x.max() + np.log(_BEYOND), 60)
  compute = estimate.law.unit * np.exp(x)
  low, high = band(drawn, x, level)
  return {
    'compute': compute.tolist(),
    'law': np.exp(estimate.law.log_at(compute)).tolist(),
    'low': np.exp(low).tolist(),
    'high': np.exp(high).tolist(),
  }


def estimated(
  points: Sequence[Point],
  metric: str,
  least_decades: int | float = LEAST_DECADES,
  refits: int = REFITS,
) -> tuple[Estimate, Refits]:
  """Returns the law that fits best, and its refits.

  Raises:
    NotIdentified: too few points, or too narrow a range.
  """
  if len(points) < LEAST_POINTS:
    raise NotIdentified(
      f'{len(points)} design point{"s" * (len(points) != 1)}, where a law of '
      f'three parameters needs {LEAST_POINTS}'
    )
  if decades(points) < least_decades:
    raise NotIdentified(
      f'{decades(points):.2f} decades of compute, where {least_decades:g} are '
      'asked for (--decades)'
    )
  seeds = [point.log(metric) for point in points]
  estimate = fit(
    np.array([point.compute for point in points]),
    np.array([draws.mean() for draws in seeds]),
  )
  return estimate, bootstrap(estimate, seeds, np.random.default_rng(0), refits)


def _check_identified(
  ends: Sequence[Interval], estimate: Estimate, drawn: Refits
) -> None:
  exponent, floor = ends[EXPONENT], ends[FLOOR]
  if not np.isfinite(exponent).all():
    low, high = np.clip(exponent, *EXPONENTS)
    raise NotIdentified(
      f'the exponent is not identified: the data allow {low:.2g} to '
      f'{high:.2g}, and the search ends at {EXPONENTS[0]:g} and '
      f'{EXPONENTS[1]:g}'
    )
  if floor.high == np.inf:
    raise NotIdentified(
      'the floor is not identified: the data allow one above the smallest '
      f'mean, {np.exp(estimate.z.min()):.3g}'
    )
  if drawn.refused > _MOST_REFUSED:
    raise NotIdentified(
      f'{drawn.refused:.0%} of the refits to points drawn again have no law'
    )


def lack_of_fit(
  points: Sequence[Point], metric: str, estimate: Estimate
) -> float | None:
  """Returns the chance of such residuals if seeds alone made them.

  The F test of points about the law against seeds about their point (Draper and
  Smith 1998, section 2.1); None where no point has two seeds.
  """
  counts = np.array([len(point.seeds) for point in points])
  spread = sum(len(p.seeds) * p.log(metric).var() for p in points)
  within, between = int((counts - 1).sum()), len(points) - 3
  if not within or not spread:
    return None
  misfit = (counts * estimate.residuals**2).sum() / between
  return float(stats.f.sf(misfit / (spread / within), between, within))


def decades(points: Sequence[Point]) -> float:
  """Returns the range of compute, in powers of ten."""
  compute = [point.compute for point in points]
  return float(np.log10(max(compute) / min(compute)))
