"""Many fits of the law at once: Levenberg and Marquardt's steps in NumPy.

A profile and a bootstrap are thousands of fits to a dozen points each. Side by
side, their steps are a few products of small matrices. The law is that of
Hoffmann et al. 2022, appendix D.2, as a sum of two powers in log space; the
tests hold the minimum against SciPy's `least_squares`.
"""

import numpy as np
from jaxtyping import Float

Array = np.ndarray

PARAMETERS = ('floor', 'scale', 'exponent')
FLOOR, SCALE, EXPONENT = range(3)
EXPONENTS = 0.005, 5.0  # outside, a law is a line or a step
_NO_FLOOR = -14.0  # log of a floor, beside the smallest error
_NOTHING = np.log(1e-5)  # the same, below which a floor is none
_STEPS, _IDLE = 80, 5  # at most; without a gain in any fit


def predict(
  theta: Float[Array, '*batch 3'], x: Float[Array, '*#batch n']
) -> Float[Array, '*batch n']:
  """Returns log(floor + scale * exp(x)^-exponent)."""
  floor, scale, exponent = np.moveaxis(theta[..., None], -2, 0)
  return np.logaddexp(floor, scale - exponent * x)


def solve(
  x: Float[Array, '*#batch n'],
  z: Float[Array, '*#batch n'],
  start: Float[Array, '*batch 3'],
  bend: float,
  fixed: int | None = None,
) -> tuple[Float[Array, '*batch 3'], Float[Array, '*batch']]:
  """Minimises Huber's loss of many fits by Levenberg and Marquardt's steps.

  Args:
    x: log compute.
    z: log error.
    start: parameters, a row a fit.
    bend: residual from which on the loss is linear.
    fixed: the index of a parameter that stays as it is.

  Returns:
    The parameters, and twice the sum of the loss.
  """
  least, most = z.min(-1), z.max(-1)
  ends = np.broadcast_arrays(least + _NO_FLOOR, least - 50, EXPONENTS[0])
  low = np.stack(ends, -1)
  high = np.stack(np.broadcast_arrays(most + 1, most + 50, EXPONENTS[1]), -1)
  free = np.arange(3) != fixed
  theta = np.clip(start, low, high) if fixed is None else start.copy()
  loss = huber(z - predict(theta, x), bend).sum(-1)
  damping, idle = np.full(loss.shape, 1e-2), 0
  for _ in range(_STEPS):
    step = _step(theta, x, z, bend, damping, free)
    moved = np.where(free, np.clip(theta + step, low, high), theta)
    new = huber(z - predict(moved, x), bend).sum(-1)
    better = new < loss
    gains = (loss - new > 1e-9 * loss).any()
    theta = np.where(better[..., None], moved, theta)
    loss = np.where(better, new, loss)
    damping = np.clip(damping * np.where(better, 0.2, 5), 1e-9, 1e9)
    idle = 0 if gains else idle + 1
    if idle == _IDLE:
      break
  return theta, loss


def without_floor(
  theta: Float[Array, '*batch 3'], least: Float[Array, '*batch'] | float
) -> Float[Array, '*batch']:
  """Returns the floors beside the least log error, -inf where there is none.

  The search ends somewhere below 1e-5 of the least, and where says nothing.
  """
  floor = theta[..., FLOOR]
  return np.where(floor - least < _NOTHING, -np.inf, floor)


def _step(theta, x, z, bend, damping, free):
  """Returns a damped Gauss-Newton step, Huber's weights on the residuals."""
  jacobian, residual = derivatives(theta, x) * free, z - predict(theta, x)
  weight = np.minimum(1, bend / np.maximum(np.abs(residual), 1e-300))
  weighted = np.swapaxes(jacobian * weight[..., None], -1, -2)
  normal, gradient = weighted @ jacobian, weighted @ residual[..., None]
  diagonal = np.einsum('...ii->...i', normal)
  diagonal += damping[..., None] * (diagonal + 1e-9) + ~free + 1e-12
  return np.linalg.solve(normal, gradient)[..., 0]


def derivatives(theta, x) -> Float[Array, '*batch n 3']:
  """Returns those of `predict` by each parameter."""
  power = theta[..., SCALE, None] - theta[..., EXPONENT, None] * x
  above = np.exp(power - predict(theta, x))  # the share above the floor
  return np.stack([1 - above, above, -above * x], -1)


def huber(residual, bend: float):
  """Returns twice Huber's loss: the square, and linear from the bend on."""
  size = np.abs(residual)
  if bend == np.inf:
    return size**2
  return np.where(size <= bend, size**2, 2 * bend * size - bend**2)
