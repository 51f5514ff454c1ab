"""The law: against SciPy's fit, and against laws that are known."""

import numpy as np
import pytest
from scipy import optimize

from resflax.sweeps.fit import bend_of, fit, variance
from resflax.sweeps.solver import derivatives, huber, predict, solve
from tests.sweeps.synthetic import EXPONENT, FLOOR, TOP, errors

COMPUTE = 1e12 * np.logspace(0, 2.5, 12)


def noisy(seed, noise=0.03):
  rng = np.random.default_rng(seed)
  return np.log(errors(COMPUTE)) + noise * rng.standard_normal(12)


def test_a_law_without_noise_is_found():
  law = fit(COMPUTE, np.log(errors(COMPUTE))).law
  assert law.floor == pytest.approx(FLOOR, rel=1e-4)
  assert law.exponent == pytest.approx(EXPONENT, rel=1e-4)
  at_unit = (TOP - FLOOR) * (law.unit / COMPUTE[0]) ** -EXPONENT
  assert np.exp(law.log_scale) == pytest.approx(at_unit, rel=1e-4)
  beyond = np.append(COMPUTE, 1e17)
  np.testing.assert_allclose(np.exp(law.log_at(beyond)), errors(beyond), 1e-4)


@pytest.mark.parametrize('seed', range(6))
def test_the_minimum_is_that_of_scipy(seed):
  z = noisy(seed)
  z[3] += 0.3  # beyond the bend
  estimate = fit(COMPUTE, z)
  x = np.log(COMPUTE / estimate.law.unit)

  def residuals(theta):
    return np.log(np.exp(theta[0]) + np.exp(theta[1] - theta[2] * x)) - z

  found = min(
    (
      optimize.least_squares(
        residuals, start, loss='huber', f_scale=estimate.bend, xtol=1e-12
      )
      for start in ([-3, -2, 0.3], [-6, -2, 0.2], [-2.5, -2, 0.6])
    ),
    key=lambda result: result.cost,
  )
  assert estimate.loss == pytest.approx(2 * found.cost, rel=1e-5)
  assert estimate.law.exponent == pytest.approx(found.x[2], rel=0.01)


def test_one_diverged_point_hardly_moves_the_law():
  z = noisy(0)
  before = fit(COMPUTE, z).law
  z[5] = 0.0
  after = fit(COMPUTE, z).law
  assert after.exponent == pytest.approx(before.exponent, rel=0.15)


def test_derivatives_are_those_of_differences():
  theta = np.array([-3.0, -1.5, 0.4])
  x = np.linspace(-3, 3, 7)
  numeric = [
    (predict(theta + d, x) - predict(theta - d, x)) / 2e-6
    for d in 1e-6 * np.eye(3)
  ]
  np.testing.assert_allclose(derivatives(theta, x), np.transpose(numeric), 1e-6)


def test_a_fixed_parameter_stays_and_the_others_move():
  x = np.log(COMPUTE / COMPUTE.mean())
  start = np.array([[-3.0, -2.0, 0.5], [-3.0, -2.0, 0.1]])
  theta, loss = solve(x, noisy(1), start, np.inf, fixed=2)
  assert theta[:, 2].tolist() == [0.5, 0.1]
  assert (theta[:, :2] != start[:, :2]).all()
  free, least = solve(x, noisy(1), start, np.inf)
  assert (least <= loss).all() and free[0] == pytest.approx(free[1], rel=1e-3)


def test_hubers_loss_is_a_square_and_then_a_line():
  residual = np.array([-0.5, 0.5, 1.0, 3.0, -5.0])
  assert huber(residual, 1.0).tolist() == [0.25, 0.25, 1, 5, 9]
  assert huber(residual, np.inf).tolist() == (residual**2).tolist()


def test_the_variance_of_normal_residuals_is_theirs():
  residual = np.random.default_rng(0).standard_normal(20_000)
  assert variance(residual, np.inf) == pytest.approx(1, rel=0.03)
  assert bend_of(residual) == pytest.approx(1.345, rel=0.03)
  # E[psi^2] / E[psi'] at the bend: 0.7102 / 0.8214.
  assert variance(residual, 1.345) == pytest.approx(0.8646, rel=0.03)
