"""Intervals: the profile, the bootstrap, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import optimize, stats

from resflax.sweeps.fit import fit
from resflax.sweeps.intervals import (
  Refits,
  _acceleration,
  _draw,
  bca,
  bootstrap,
  profile,
)
from resflax.sweeps.solver import EXPONENT, FLOOR
from tests.sweeps import coverage, synthetic


def estimated(seed=0, **kwargs):
  points = synthetic.sweep(np.random.default_rng(seed), **kwargs)
  seeds = [p.log('error') for p in points]
  compute = np.array([p.compute for p in points])
  return fit(compute, np.array([s.mean() for s in seeds])), seeds


@pytest.mark.parametrize('parameter', [FLOOR, EXPONENT])
def test_at_the_ends_of_a_profile_the_loss_has_risen_by_t(parameter):
  estimate, _ = estimated()
  critical = stats.t.ppf(0.95, 12 - 3) ** 2
  others = [i for i in range(3) if i != parameter]

  def rise(end):
    def cost(free):
      theta = estimate.theta
      theta[parameter], theta[others] = end, free
      power = np.exp(theta[1] - theta[2] * estimate.x)
      size = np.abs(np.log(np.exp(theta[0]) + power) - estimate.z)
      line = 2 * estimate.bend * size - estimate.bend**2
      return np.where(size < estimate.bend, size**2, line).sum()

    best = optimize.minimize(
      cost, estimate.theta[others], method='Nelder-Mead', tol=1e-10
    )
    return (best.fun - estimate.loss) / estimate.variance

  for end in profile(estimate, parameter):
    assert rise(end) == pytest.approx(critical, rel=0.03)


def test_a_higher_level_is_wider():
  estimate, _ = estimated()
  narrow, wide = (profile(estimate, EXPONENT, q) for q in (0.8, 0.95))
  assert wide.low < narrow.low < estimate.law.exponent
  assert estimate.law.exponent < narrow.high < wide.high


def test_a_floor_that_the_data_do_not_show_may_be_none():
  estimate, _ = estimated(decades=1.5, floor=1e-3)
  assert profile(estimate, FLOOR).low == -np.inf


def test_bca_is_that_of_scipy():
  data = np.random.default_rng(1).lognormal(size=15)
  theirs = stats.bootstrap(
    (data,), np.mean, confidence_level=0.9, method='BCa', rng=2
  )
  means = theirs.bootstrap_distribution
  left_out = np.array([np.delete(data, i).mean() for i in range(15)])
  apart = left_out.mean() - left_out
  refits = Refits(
    means[:, None],
    0.0,
    np.array([(apart**3).sum() / (6 * (apart**2).sum() ** 1.5)]),
    np.array([(means < data.mean()).mean()]),
  )
  low, high = theirs.confidence_interval
  assert bca(refits, 0) == pytest.approx((low, high), rel=2e-3)


def test_the_acceleration_is_that_of_fits_without_a_point():
  estimate, _ = estimated()
  left_out = np.array(
    [
      fit(
        np.exp(np.delete(estimate.x, i)) * estimate.law.unit,
        np.delete(estimate.z, i),
      ).theta
      for i in range(12)
    ]
  )
  apart = left_out.mean(0) - left_out
  expected = (apart**3).sum(0) / (6 * (apart**2).sum(0) ** 1.5)
  free = [FLOOR, EXPONENT]  # a scale is of its own fit's unit
  found = _acceleration(estimate)[free]
  np.testing.assert_allclose(found, expected[free], atol=0.01)
  assert np.abs(found).min() > 0.05


def test_without_a_floor_bca_begins_at_none():
  """Most refits have none either, and are no evidence for one."""
  estimate, seeds = estimated(seed=2, floor=1e-9)
  assert np.exp(estimate.theta[FLOOR]) < 1e-4
  refits = bootstrap(estimate, seeds, np.random.default_rng(0), 300)
  none = (np.exp(refits.theta[:, FLOOR]) < 1e-5).mean()
  assert none > 0.5
  low, high = np.exp(bca(refits, FLOOR))
  plain = np.exp(np.quantile(refits.theta[:, FLOOR], 0.95))
  assert low < 1e-5 and high < 3 * plain + 1e-5


def test_seeds_are_drawn_within_their_own_point():
  seeds = [np.array([1.0, 2.0]), np.array([10.0]), np.array([100.0, 101, 102])]
  chosen = np.random.default_rng(0).integers(3, size=(400, 3))
  drawn = _draw(seeds, chosen, np.random.default_rng(1))
  for number, own in enumerate(seeds):
    found = drawn[chosen == number]
    assert found.min() == own.min() and found.max() == own.max()
    assert found.mean() == pytest.approx(own.mean(), rel=0.05)


def test_a_bootstrap_is_repeatable_and_counts_what_it_refuses():
  estimate, seeds = estimated(points=6)
  first, second = (
    bootstrap(estimate, seeds, np.random.default_rng(3), 200) for _ in range(2)
  )
  assert (first.theta == second.theta).all()
  assert first.refused == pytest.approx(1 - len(first.theta) / 200)
  # Three distinct points of six or fewer: at least 25 % of the draws.
  assert 0.15 < first.refused < 0.5


@pytest.mark.slow
@pytest.mark.parametrize('regime', ['seeds', 'points', 'high_floor'])
def test_nine_of_ten_intervals_hold_the_truth(regime):
  """200 sweeps of 12 points and 3 seeds."""
  rates, inside, refused = coverage.show(regime)
  assert refused <= 0.05
  for name in coverage.NAMES:
    assert 0.85 <= rates[name, 'interval'] <= 0.95, (name, rates)
  assert inside >= 0.85
