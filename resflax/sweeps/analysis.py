"""A sweep's points become laws, intervals and predictions, as plain data.

What `fit.json` holds; docs/fit.md has its fields.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from resflax.errors import UsageError
from resflax.sweeps.fit import EXPONENT, EXPONENTS, FLOOR, Estimate, fit
from resflax.sweeps.fit import PARAMETERS as NAMES
from resflax.sweeps.frontier import families, frontiers
from resflax.sweeps.intervals import (
  LEVEL,
  Refits,
  band,
  bca,
  bootstrap,
  profile,
)
from resflax.sweeps.results import Point

METRICS = ('error', 'loss')
LEAST_POINTS = 6
LEAST_DECADES = 1.5
REFITS = 1000
_BEYOND = 4  # times the largest compute, where a band ends


class NotIdentified(UsageError):
  """Points that no law, or more than one, can be read from."""


def analyse(
  points: Sequence[Point],
  metric: str = 'error',
  *,
  level: float = LEVEL,
  hold_out: int = 1,
  least_decades: int | float = LEAST_DECADES,
  refits: int = REFITS,
) -> dict:
  """Returns the laws, frontiers and points of a sweep.

  Args:
    points: cheapest first.
    metric: error or loss.
    level: of the intervals.
    hold_out: how many of the largest points are predicted from the others.
    least_decades: of compute, between the smallest and the largest point.
    refits: of the bootstrap.
  """
  found = described(points, metric)
  subsets = {
    'frontier': found['pareto']['compute'],
    'all': list(range(len(points))),
    **families(points, metric),
  }
  options = {'level': level, 'least_decades': least_decades, 'refits': refits}
  return {
    **found,
    'level': level,
    'laws': {
      name: _law_or_reason(points, chosen, metric, hold_out, options)
      for name, chosen in subsets.items()
    },
  }


def described(points: Sequence[Point], metric: str) -> dict:
  """Returns the points as plain data, with the frontier of each cost."""
  return {
    'metric': metric,
    'points': [
      {**p._asdict(), 'mean': float(np.exp(p.log(metric).mean()))}
      for p in points
    ],
    'pareto': frontiers(points, metric),
  }


def _law_or_reason(points, chosen, metric, hold_out, options) -> dict:
  """Returns a law's entry, or why there is none."""
  entry = {'points': list(chosen)}
  chosen = sorted(chosen, key=lambda index: points[index].compute)
  picked = [points[index] for index in chosen]
  try:
    entry |= law_of(picked, metric, **options)
  except NotIdentified as error:
    return {**entry, 'refused': str(error)}
  try:
    entry['held_out'] = predicted(picked, metric, hold_out, **options)
  except NotIdentified as error:
    entry['held_out_refused'] = str(error)
  return entry


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
  exponent = profile(estimate, EXPONENT, level)
  floor = profile(estimate, FLOOR, level)
  _check_bounded(exponent, floor, estimate)
  entry = {}
  for index, name in enumerate(NAMES):
    # The floor and the scale are fitted as logs.
    scaled = (lambda v: float(v)) if index == EXPONENT else _exp
    ends, beside = profile(estimate, index, level), bca(drawn, index, level)
    entry[name] = {
      'value': scaled(estimate.theta[index]),
      'interval': [scaled(end) for end in ends],
      'bca': [scaled(end) for end in beside],
    }
  unit = estimate.law.unit
  x = np.linspace(estimate.x.min(), estimate.x.max() + np.log(_BEYOND), 60)
  low, high = band(drawn, x, level)
  return {
    **entry,
    'unit': unit,
    'decades': decades(points),
    'residuals': estimate.residuals.tolist(),
    'residual_sd': float(np.sqrt(estimate.variance)),
    'lack_of_fit_p': lack_of_fit(points, metric, estimate),
    'refits': refits,
    'refits_refused': drawn.refused,
    'band': {
      'compute': (unit * np.exp(x)).tolist(),
      'law': np.exp(
        estimate.law.log_at(estimate.law.unit * np.exp(x))
      ).tolist(),
      'low': np.exp(low).tolist(),
      'high': np.exp(high).tolist(),
    },
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
      f'{len(points)} design points, where a law of three parameters needs '
      f'{LEAST_POINTS}'
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


def _check_bounded(exponent, floor, estimate: Estimate) -> None:
  if not np.isfinite(exponent).all():
    ends = [
      'any below' if exponent.low == -np.inf else f'{exponent.low:.2g}',
      'any above' if exponent.high == np.inf else f'{exponent.high:.2g}',
    ]
    raise NotIdentified(
      'the exponent is not identified: within '
      f'{EXPONENTS[0]:g} to {EXPONENTS[1]:g}, the data allow from {ends[0]} to '
      f'{ends[1]}, beside {estimate.law.exponent:.2g}'
    )
  if floor.high == np.inf:
    raise NotIdentified(
      'the floor is not identified: the data allow one above the smallest '
      f'error, {np.exp(estimate.z.min()):.3g}'
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


def predicted(
  points: Sequence[Point],
  metric: str,
  hold_out: int,
  *,
  level: float = LEVEL,
  least_decades: int | float = LEAST_DECADES,
  refits: int = REFITS,
) -> list[dict]:
  """Returns what the smaller points say of the largest ones, and what is true.

  The interval is for a new point: the refits' predictions, each with a normal
  deviation of the residuals' variance.

  Raises:
    NotIdentified: see `estimated`; the range may be a half narrower here.
  """
  if not hold_out:
    return []
  kept, held = points[:-hold_out], points[-hold_out:]
  estimate, drawn = estimated(kept, metric, least_decades / 2, refits)
  noise = np.random.default_rng(1).normal(size=len(drawn.theta))
  noise *= np.sqrt(estimate.variance)
  compute = np.array([point.compute for point in held])
  x = np.log(compute / estimate.law.unit)
  low, high = np.exp(band(drawn, x, level, noise))
  measured = np.exp([point.log(metric).mean() for point in held])
  rows = zip(
    held, np.exp(estimate.law.log_at(compute)), low, high, measured, strict=True
  )
  return [
    {
      'label': point.label,
      'compute': point.compute,
      'predicted': float(law),
      'interval': [float(least), float(most)],
      'measured': float(true),
      'inside': bool(least <= true <= most),
    }
    for point, law, least, most, true in rows
  ]


def decades(points: Sequence[Point]) -> float:
  """Returns the range of compute, in powers of ten."""
  compute = [point.compute for point in points]
  return float(np.log10(max(compute) / min(compute)))


def _exp(value: float) -> float:
  return float(np.exp(value))
