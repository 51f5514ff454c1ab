"""What a law says of runs larger than those it was fitted to."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from resflax.sweeps.fit import Estimate
from resflax.sweeps.intervals import LEVEL, Refits, band
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

  Raises:
    NotIdentified: see `estimated`; the range may be a half narrower here.
  """
  if not hold_out:
    return []
  kept, held = points[:-hold_out], points[-hold_out:]
  estimate, drawn = estimated(kept, metric, least_decades / 2, refits)
  compute = np.array([point.compute for point in held])
  measured = np.exp([point.log(metric).mean() for point in held])
  said = new_points(estimate, drawn, compute, level)
  rows = zip(held, *said, measured, strict=True)
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


def new_points(
  estimate: Estimate,
  drawn: Refits,
  compute: Float[np.ndarray, ' n'],
  level: float = LEVEL,
) -> tuple[Float[np.ndarray, ' n'], ...]:
  """Returns what a law says of new points, and the ends of their intervals.

  Those are the refits' predictions, each with a normal deviation of the
  residuals' variance.
  """
  noise = np.random.default_rng(1).normal(size=len(drawn.theta))
  noise *= np.sqrt(estimate.variance)
  x = np.log(compute / estimate.law.unit)
  ends = band(drawn, x, level, noise)
  return tuple(map(np.exp, (estimate.law.log_at(compute), *ends)))
