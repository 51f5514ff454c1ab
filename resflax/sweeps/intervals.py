"""Intervals for a fitted law: its profile, and a bootstrap beside it.

Where twelve points of three seeds are fitted by three parameters, the two err
on different sides; docs/fit.md has the measured coverages. The profile's is the
one that is called the interval.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from resflax.sweeps.fit import Estimate
from resflax.sweeps.solver import (
  EXPONENT,
  EXPONENTS,
  FLOOR,
  SCALE,
  predict,
  solve,
  without_floor,
)

Array = np.ndarray

LEVEL = 0.9
_GRID = 80
_LEAST_DISTINCT = 4  # points that a refit needs, for three parameters


class Interval(NamedTuple):
  """Two ends; infinite, or 0 for a floor, where the data set none."""

  low: float
  high: float


class Refits(NamedTuple):
  """Laws of resampled points.

  Attributes:
    theta: their parameters.
    refused: the share that had too few distinct points or a law at the edge.
    acceleration: of each parameter, by the jackknife over points.
    below: share of refits under the estimate, of each parameter.
  """

  theta: Float[Array, 'refits 3']
  refused: float
  acceleration: Float[Array, '3']
  below: Float[Array, '3']


def profile(
  estimate: Estimate, parameter: int, level: float = LEVEL
) -> Interval:
  """Returns where a parameter's profile crosses Student's quantile.

  The parameter is held at each value of a grid and the others are fitted; the
  ends are where the root of the loss's rise, over the residual variance, is t
  with n - 3 degrees of freedom (Bates and Watts 1988, section 6.1).

  Args:
    estimate: the fitted law.
    parameter: its index.
    level: of the interval.
  """
  grid, center = _grid(estimate, parameter), estimate.theta[parameter]
  rise = rise_of_profile(estimate, parameter, grid)
  critical = stats.t.ppf((1 + level) / 2, len(estimate.x) - 3)
  low = _crossing(*_side(grid, rise, center, -1), critical, -np.inf)
  high = _crossing(*_side(grid, rise, center, 1), critical, np.inf)
  return Interval(low, high)


def rise_of_profile(
  estimate: Estimate, parameter: int, grid: Float[Array, ' k']
) -> Float[Array, ' k']:
  """Returns the root of the loss's rise at each value of a parameter."""
  begin = np.repeat(_seeds(estimate)[None], len(grid), 0)
  begin[..., parameter] = grid[:, None]
  _, loss = solve(estimate.x, estimate.z, begin, estimate.bend, fixed=parameter)
  rise = loss.min(-1) - estimate.loss
  return np.sqrt(np.maximum(rise, 0) / max(estimate.variance, 1e-12))


def _seeds(estimate: Estimate) -> Float[Array, 'k 3']:
  """The estimate, and laws with hardly a floor and with a high one."""
  line = [estimate.z.min() - 6, estimate.z.mean(), 0.2]
  bent = [estimate.z.min() - 0.05, estimate.z.mean() - 1, 1.0]
  return np.stack([estimate.theta, line, bent])


def _grid(estimate: Estimate, parameter: int) -> Float[Array, ' k']:
  least = estimate.z.min()
  if parameter == EXPONENT:
    return np.geomspace(*EXPONENTS, _GRID)
  if parameter == FLOOR:
    shares = np.concatenate([[1e-5], np.linspace(0.01, 1.2, _GRID)])
    return least + np.log(shares)
  assert parameter == SCALE
  return estimate.law.log_scale + np.linspace(-3, 1.5, _GRID)


def _side(grid, rise, center, sign):
  """Returns one side of a profile, from the estimate outwards."""
  order = np.argsort(sign * grid)
  kept = order[sign * (grid[order] - center) > 0]
  return np.append(center, grid[kept]), np.append(0.0, rise[kept])


def _crossing(grid, rise, critical, beyond) -> float:
  above = np.flatnonzero(rise >= critical)
  if not len(above):
    return float(beyond)
  i = above[0]
  return float(np.interp(critical, rise[i - 1 : i + 1], grid[i - 1 : i + 1]))


def bootstrap(
  estimate: Estimate,
  seeds: Sequence[Float[Array, ' draws']],
  rng: np.random.Generator,
  refits: int,
) -> Refits:
  """Refits the law to design points drawn again, and their seeds within.

  Whole points are drawn with replacement, then each one's seeds (Davison and
  Hinkley 1997, section 3.8). Refits start from the estimate.

  Args:
    estimate: the fitted law.
    seeds: log error of each point's runs.
    rng: where draws come from.
    refits: how many.
  """
  chosen = rng.integers(len(seeds), size=(refits, len(seeds)))
  x, z = estimate.x[chosen], _draw(seeds, chosen, rng)
  theta, _ = solve(x, z, _repeated(estimate, refits), estimate.bend)
  distinct = [len(set(row)) for row in chosen]
  sound = np.array(distinct) >= _LEAST_DISTINCT
  sound &= theta[:, EXPONENT] < 0.99 * EXPONENTS[1]
  theta = theta[sound]
  return Refits(
    theta,
    float(1 - sound.mean()),
    _acceleration(estimate),
    _below(theta, z[sound], estimate) if len(theta) else np.zeros(3),
  )


def _below(theta, z, estimate: Estimate) -> Float[Array, '3']:
  """Returns the shares under the estimate; of what is equal, a half."""
  refits, center = theta.copy(), estimate.theta.copy()
  refits[:, FLOOR] = without_floor(theta, z.min(-1))
  center[FLOOR] = without_floor(center, estimate.z.min())
  return ((refits < center) + (refits == center) / 2).mean(0)


def bca(refits: Refits, parameter: int, level: float = LEVEL) -> Interval:
  """Returns the bias-corrected and accelerated interval (Efron 1987)."""
  ends = stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
  count = len(refits.theta)
  share = np.clip(refits.below[parameter], 1 / count, 1 - 1 / count)
  bias = stats.norm.ppf(share)
  moved = bias + ends
  moved = bias + moved / (1 - refits.acceleration[parameter] * moved)
  values = refits.theta[:, parameter]
  return Interval(*map(float, np.quantile(values, stats.norm.cdf(moved))))


def band(
  refits: Refits,
  x: Float[Array, ' k'],
  level: float = LEVEL,
  noise: Float[Array, ' refits'] | float = 0.0,
) -> tuple[Float[Array, ' k'], Float[Array, ' k']]:
  """Returns the ends of the refits' log errors at each log compute."""
  log_error = predict(refits.theta, x[None]) + np.reshape(noise, (-1, 1))
  low, high = np.quantile(log_error, [(1 - level) / 2, (1 + level) / 2], axis=0)
  return low, high


def _draw(seeds, chosen: Int[Array, 'b n'], rng) -> Float[Array, 'b n']:
  """Returns the mean over each chosen point's seeds, drawn again."""
  counts = np.array([len(draws) for draws in seeds])
  most = counts.max()
  table = np.stack([np.resize(draws, most) for draws in seeds])
  picks = rng.random((*chosen.shape, most)) * counts[chosen][..., None]
  drawn = table[chosen[..., None], picks.astype(int)]
  used = np.arange(most) < counts[chosen][..., None]
  return (drawn * used).sum(-1) / used.sum(-1)


def _acceleration(estimate: Estimate) -> Float[Array, '3']:
  """Returns Efron's a, by leaving out a point at a time."""
  n = len(estimate.x)
  kept = np.array([np.delete(np.arange(n), i) for i in range(n)])
  x, z = estimate.x[kept], estimate.z[kept]
  theta, _ = solve(x, z, _repeated(estimate, n), estimate.bend)
  apart = theta.mean(0) - theta
  squares = (apart**2).sum(0)
  return (apart**3).sum(0) / np.maximum(6 * squares**1.5, 1e-300)


def _repeated(estimate: Estimate, count: int) -> Float[Array, 'count 3']:
  return np.repeat(estimate.theta[None], count, 0)
