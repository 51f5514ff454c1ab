"""The law of a sweep: error = floor + scale * compute^-exponent.

Fitted in log space with Huber's loss from a grid of starts, after Hoffmann et
al. 2022, appendix D.2 ("approach 3"), with two changes. What is fitted is the
mean of a design point's seeds, so that a point counts once however many seeds
it has. And the loss bends at a multiple of the residuals' own robust scale
(Huber 1981, chapter 7), not at a constant.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from resflax.sweeps.solver import predict, solve

Array = np.ndarray

# 95 % efficiency where residuals are normal.
_BEND = 1.345
_LEAST_BEND = 1e-3  # Hoffmann et al.'s constant; for residuals of none


class Law(NamedTuple):
  """A fitted law.

  Attributes:
    log_floor: log of what is left at infinite compute.
    log_scale: log of the part above the floor, at one `unit` of compute.
    exponent: of that part, above 0.
    unit: of compute: the geometric mean of the fitted points'.
  """

  log_floor: float
  log_scale: float
  exponent: float
  unit: float

  @property
  def floor(self) -> float:
    return float(np.exp(self.log_floor))

  def log_at(self, compute: Float[Array, ' n']) -> Float[Array, ' n']:
    """Returns the log of the law's error at each compute."""
    x = np.log(compute / self.unit)
    return predict(np.array(self[:3]), x)


class Estimate(NamedTuple):
  """A law with what it was fitted to.

  Attributes:
    law: the best one.
    x: log compute, in the law's unit.
    z: log error, the mean of each point's seeds.
    bend: residual from which on the loss is linear.
    loss: twice the sum of Huber's.
    variance: of a residual, for a loss of Huber's.
  """

  law: Law
  x: Float[Array, ' n']
  z: Float[Array, ' n']
  bend: float
  loss: float
  variance: float

  @property
  def theta(self) -> Float[Array, '3']:
    return np.array(self.law[:3])

  @property
  def residuals(self) -> Float[Array, ' n']:
    """Log of measured over predicted error."""
    return self.z - predict(self.theta, self.x)


def fit(compute: Float[Array, ' n'], log_error: Float[Array, ' n']) -> Estimate:
  """Fits the law from a grid of starts.

  Args:
    compute: of each design point.
    log_error: of each, the mean over its seeds.
  """
  unit = float(np.exp(np.log(compute).mean()))
  x, z = np.log(compute / unit), np.asarray(log_error, np.float64)
  begin = starts(x, z)
  theta, loss = solve(x, z, begin, np.inf)
  residuals = z - predict(theta[loss.argmin()], x)
  bend = bend_of(residuals)
  theta, loss = solve(x, z, np.concatenate([begin, theta]), bend)
  best = loss.argmin()
  residuals = z - predict(theta[best], x)
  return Estimate(
    Law(*map(float, theta[best]), unit),
    *(x, z, bend, float(loss[best])),
    float(variance(residuals, bend)),
  )


def starts(x: Float[Array, ' n'], z: Float[Array, ' n']):
  """Returns laws that pass through the middle of the points."""
  shares, exponents = np.meshgrid(
    [1e-3, 0.3, 0.6, 0.85, 0.97], [0.05, 0.15, 0.3, 0.6, 1.2, 2.5]
  )
  floor = z.min() + np.log(shares.ravel())
  above = np.log(np.exp(z) - np.exp(floor)[:, None])
  exponent = exponents.ravel()
  return np.stack([floor, above.mean(-1), exponent], -1)


def bend_of(residuals: Float[Array, ' n']) -> float:
  """Returns where the loss bends: by the median residual, for 3 parameters."""
  n = len(residuals)
  scale = 1.4826 * np.median(np.abs(residuals)) * np.sqrt(n / max(n - 3, 1))
  return float(max(_BEND * scale, _LEAST_BEND))


def variance(residuals: Float[Array, '*batch n'], bend: float):
  """Returns the variance by which a difference of losses is divided.

  Source: Schrader and Hettmansperger 1980: the mean square of Huber's psi over
    the mean of its derivative, with n - 3 degrees of freedom.
  """
  n = residuals.shape[-1]
  inside = np.abs(residuals) <= bend
  psi = np.clip(residuals, -bend, bend)
  return (psi**2).sum(-1) / (n - 3) / np.maximum(inside.mean(-1), 1 / n)
