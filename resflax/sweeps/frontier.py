"""Which designs nobody beats at less cost, and which belong to one family."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from resflax.sweeps.points import Point

# Shapes grow along these; a family grows along one.
AXES = ('depth', 'width', 'resolution')
COSTS = ('compute', 'macs', 'step_ms', 'tpu_ms')


def pareto(
  cost: Float[np.ndarray, ' n'], error: Float[np.ndarray, ' n']
) -> list[int]:
  """Returns the indices of the points that none beats, cheapest first.

  A point is beaten by one that costs no more and errs no more, and is better in
  one of the two.
  """
  best, kept = np.inf, []
  for index in np.lexsort((error, cost)):
    if error[index] < best:
      best = error[index]
      kept.append(int(index))
  return kept


def cost_at(
  level: float,
  cost: Float[np.ndarray, ' n'] | Sequence[float],
  score: Float[np.ndarray, ' n'] | Sequence[float],
) -> float:
  """Returns what a frontier costs at a score: lines in the log of the cost.

  NaN beyond its ends, for nothing is known there.
  """
  cost, score = np.asarray(cost), np.asarray(score)
  best = pareto(cost, -score)
  logs = np.interp(level, score[best], np.log(cost[best]), np.nan, np.nan)
  return float(np.exp(logs))


def frontiers(points: Sequence[Point], metric: str) -> dict[str, list[int]]:
  """Returns the frontier of each cost, over the points where it is known."""
  error = np.array([point.log(metric).mean() for point in points])
  found = {}
  for name in COSTS:
    known = [i for i, p in enumerate(points) if getattr(p, name) is not None]
    cost = np.array([getattr(points[i], name) for i in known], np.float64)
    found[name] = [known[i] for i in pareto(cost, error[known])]
  return found


def families(points: Sequence[Point], metric: str) -> dict[str, list[int]]:
  """Returns, for each axis, the points that grow along it alone.

  They agree in the other two axes, the data and the examples seen; where one
  shape was trained by several recipes, the best counts. The largest such group
  is taken, of equal ones the one with the widest range of compute.
  """
  return {axis: _family(points, axis, metric) for axis in AXES}


def _family(points: Sequence[Point], axis: str, metric: str) -> list[int]:
  groups: dict[tuple, dict[object, int]] = {}
  for index, point in enumerate(points):
    shape = _shape(point)
    size = shape.pop(axis)
    members = groups.setdefault((*shape.values(), point.group), {})
    before = members.get(size)
    if before is None or _mean(point, metric) < _mean(points[before], metric):
      members[size] = index
  rank = _rank(points)
  best = max((list(group.values()) for group in groups.values()), key=rank)
  return best if len(best) > 1 else []


def _rank(points: Sequence[Point]) -> Callable:
  def rank(indices: list[int]) -> tuple[int, float]:
    compute = [points[i].compute for i in indices]
    return len(indices), max(compute) / min(compute)

  return rank


def _shape(point: Point) -> dict[str, object]:
  return {
    'depth': point.depths,
    'width': point.width,
    'resolution': point.resolution,
  }


def _mean(point: Point, metric: str) -> float:
  return float(point.log(metric).mean())
