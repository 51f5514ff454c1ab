"""All that a sweep's points say, as plain data: what `fit.json` holds.

docs/fit.md has its fields.
"""

from collections.abc import Sequence

import numpy as np

from resflax.sweeps.frontier import families, frontiers
from resflax.sweeps.held_out import predicted
from resflax.sweeps.intervals import LEVEL
from resflax.sweeps.law import LEAST_DECADES, REFITS, NotIdentified, law_of
from resflax.sweeps.overfitting import verdicts, with_train_loss
from resflax.sweeps.points import Point


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


def analyse_runs(
  points: Sequence[Point], metric: str = 'error', **options
) -> dict:
  """Returns what `analyse` does, and what pairs of deep and wide nets say.

  Losses on training images count where they have been measured.
  """
  points = with_train_loss(points)
  return {
    **analyse(points, metric, **options),
    'depth_or_width': verdicts(points),
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
