"""What a sweep's law says of a budget, and what it lacks where it is none."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from resflax.errors import UsageError
from resflax.report.laws import shown_name
from resflax.sweeps.fit import Estimate
from resflax.sweeps.held_out import new_points
from resflax.sweeps.intervals import Refits
from resflax.sweeps.law import LEAST_POINTS, NotIdentified, decades, estimated
from resflax.sweeps.points import Point

# Where a law is not identified, runs so many times the largest would show it.
_LARGER = 3, 10


class Forecast(NamedTuple):
  """A sweep's law, to be asked.

  Attributes:
    name: of the law: `frontier`, or `all` where the frontier has none.
    points: that it was fitted to, cheapest first.
    estimate: the law.
    drawn: its refits.
    level: of intervals.
  """

  name: str
  points: list[Point]
  estimate: Estimate
  drawn: Refits
  level: float

  @property
  def largest(self) -> float:
    """Compute of the costliest point, in FLOPs."""
    return self.points[-1].compute

  @property
  def decades(self) -> float:
    """Of compute, from the cheapest point to the costliest."""
    return decades(self.points)

  def beyond(self, compute: int | float) -> float:
    """Returns how far a compute lies beyond the sweep, in decades."""
    return math.log10(compute / self.largest)

  def at(self, compute: int | float) -> dict:
    """Returns the error of a new run, with its interval."""
    said = new_points(
      self.estimate, self.drawn, np.array([compute]), self.level
    )
    value, low, high = (float(ends[0]) for ends in said)
    return {'value': value, 'interval': [low, high]}

  def compute_for(self, error: int | float) -> float:
    """Returns the compute at which the law comes down to an error.

    Raises:
      UsageError: it never does.
    """
    law = self.estimate.law
    if error <= law.floor:
      raise UsageError(
        f"No compute reaches {error:g}: the law's floor is {law.floor:.4g}. "
        'Give a larger --error, or change the recipe and sweep again.'
      )
    above = math.log(error - law.floor) - law.log_scale
    return law.unit * math.exp(-above / law.exponent)


def forecast(
  points: Sequence[Point],
  found: dict,
  *,
  least_decades: int | float,
  refits: int,
) -> Forecast:
  """Returns the law by which the next run is planned.

  Args:
    points: of the sweep.
    found: what `analyse` says of them.
    least_decades: as it was given to `analyse`.
    refits: of the bootstrap.

  Raises:
    NotIdentified: there is none; the message says what runs would show one.
  """
  name = shown_name(found)
  if name is None:
    reason = found['laws']['all']['refused']
    raise NotIdentified(
      f'There is no law to plan by: {reason}. {missing(points, least_decades)}'
    )
  chosen = [points[index] for index in found['laws'][name]['points']]
  chosen = sorted(chosen, key=lambda point: point.compute)
  estimate, drawn = estimated(chosen, found['metric'], least_decades, refits)
  return Forecast(name, chosen, estimate, drawn, found['level'])


def missing(points: Sequence[Point], least_decades: int | float) -> str:
  """Returns in words which runs would show a law."""
  compute = [point.compute for point in points]
  least, most = min(compute), max(compute)
  wanted = []
  if len(points) < LEAST_POINTS:
    wanted.append(f'{LEAST_POINTS - len(points)} more designs')
  if (upto := least * 10**least_decades) > most:
    wanted.append(
      f'designs up to {upto:.2g} FLOPs (the largest has {most:.2g})'
    )
  if not wanted:
    larger = ' and '.join(f'{times * most:.2g}' for times in _LARGER)
    seeds = min(len(point.seeds) for point in points)
    wanted.append(
      f'designs of {larger} FLOPs (the largest has {most:.2g}), and more seeds '
      f'(now {seeds} at least)'
    )
  return f'Run {" and ".join(wanted)}.'
