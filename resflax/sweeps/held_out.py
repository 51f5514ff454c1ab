"""What a law says of runs larger than those it was fitted to."""

from collections.abc import Sequence

import numpy as np

from resflax.sweeps.intervals import LEVEL, band
from resflax.sweeps.law import LEAST_DECADES, REFITS, estimated
from resflax.sweeps.points import Point


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
