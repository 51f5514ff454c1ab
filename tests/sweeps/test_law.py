"""What is refused, what shows that a law breaks, and what is predicted."""

import json

import numpy as np
import pytest
from scipy import stats

from resflax.sweeps.analysis import analyse
from resflax.sweeps.held_out import predicted
from resflax.sweeps.law import NotIdentified, decades, law_of
from resflax.sweeps.published_points import efficientnets, resnet_rs
from resflax.sweeps.writing import as_json
from tests.sweeps.synthetic import point, sweep

FAST = {'refits': 200}


def rng(seed=0):
  return np.random.default_rng(seed)


def bent(points, factor):
  """The points, the third of them that cost most off the law."""
  first = len(points) - len(points) // 3
  return [
    p._replace(error=tuple(factor * e for e in p.error)) if i >= first else p
    for i, p in enumerate(points)
  ]


@pytest.mark.parametrize(
  'points, message',
  [
    (sweep(rng(), points=5), '5 design points, where a law .* needs 6'),
    (sweep(rng(), decades=1.2), '1.20 decades of compute, where 1.5 are'),
    (
      [point(i, 10.0**i, [0.3 + 0.01 * (i % 2)]) for i in range(8)],
      'the exponent is not identified: the data allow .* to 5',
    ),
  ],
)
def test_what_is_refused(points, message):
  with pytest.raises(NotIdentified, match=message):
    law_of(points, 'error', **FAST)


@pytest.mark.filterwarnings('error')
def test_an_error_that_rises_is_refused():
  points = sweep(rng())
  errors = [p.error for p in reversed(points)]
  rising = [p._replace(error=e) for p, e in zip(points, errors, strict=True)]
  with pytest.raises(NotIdentified, match='exponent is not identified'):
    law_of(rising, 'error', **FAST)


def test_a_narrower_range_may_be_asked_for():
  points = sweep(rng(), decades=1.2, noise=0.003)
  entry = law_of(points, 'error', least_decades=1, **FAST)
  assert entry['decades'] == pytest.approx(1.2)
  low, high = entry['exponent']['interval']
  assert low < 0.3 < high


def test_residuals_and_the_test_of_fit_show_where_a_law_breaks():
  points = sweep(rng())
  sound = law_of(points, 'error', **FAST)
  broken = law_of(bent(points, 1.5), 'error', **FAST)
  assert sound['lack_of_fit_p'] > 0.05
  assert broken['lack_of_fit_p'] < 1e-3
  assert broken['residual_sd'] > 2 * sound['residual_sd']
  # By hand: the misfit of the means with n - 3 degrees of freedom, over the
  # spread of seeds about their means.
  seeds = np.array([p.log('error') for p in points])
  misfit = 3 * np.square(sound['residuals']).sum() / (len(points) - 3)
  spread = seeds.var(1, ddof=1).mean()
  p = stats.f.sf(misfit / spread, len(points) - 3, 2 * len(points))
  assert sound['lack_of_fit_p'] == pytest.approx(p, rel=1e-6)
  single = [p._replace(seeds=(0,), error=p.error[:1]) for p in points]
  assert law_of(single, 'error', **FAST)['lack_of_fit_p'] is None


def test_the_largest_points_are_predicted_from_the_others():
  points = sweep(rng(1), points=14)
  rows = predicted(points, 'error', 2, **FAST)
  assert [row['label'] for row in rows] == ['p12', 'p13']
  assert all(row['inside'] for row in rows)
  assert rows[1]['measured'] == pytest.approx(
    np.exp(np.mean(points[-1].log('error')))
  )
  # What the largest did has no part in its own prediction.
  worse = [*points[:-1], points[-1]._replace(error=(0.3, 0.3, 0.3))]
  again = predicted(worse, 'error', 2, **FAST)
  assert again[1]['interval'] == rows[1]['interval']
  assert not again[1]['inside']
  assert predicted(points, 'error', 0) == []


def test_a_report_is_strict_json_and_the_same_every_time():
  points = sweep(rng(), floor=1e-3, decades=1.6)
  first, second = (as_json(analyse(points, **FAST)) for _ in range(2))
  assert first == second
  found = json.loads(first)
  assert found['laws']['all']['floor']['interval'][0] == 0
  assert 'refused' in found['laws']['depth']
  assert found['pareto']['compute'] == found['laws']['frontier']['points']
  assert as_json({'a': float('inf'), 'b': (1, float('nan'))}).split() == (
    ['{', '"a":', 'null,', '"b":', '[', '1,', 'null', ']', '}']
  )


def test_a_law_at_too_few_points_to_hold_one_out_says_so():
  found = analyse(sweep(rng(), points=6, noise=0.003), **FAST)
  entry = found['laws']['all']
  assert 'refused' not in entry
  assert '5 design points' in entry['held_out_refused']


def test_the_published_tables():
  """Error falls as about the root of compute above 14 % in both families."""
  rs, efficient = resnet_rs(), efficientnets()
  assert (len(rs), len(efficient)) == (11, 8)
  assert decades(rs) == pytest.approx(np.log10(63_942 / 2_279), abs=1e-3)
  assert rs[0].compute == 6 * 2_278_629_376 * 350 * 1_281_167
  laws = [
    law_of(points, 'error', least_decades=1.4, **FAST)
    for points in (rs, efficient)
  ]
  for entry in laws:
    assert entry['exponent']['value'] == pytest.approx(0.48, abs=0.03)
    assert entry['floor']['value'] == pytest.approx(0.143, abs=0.004)
  [row] = predicted(rs, 'error', 1, least_decades=1.4, **FAST)
  assert row['inside'] and row['measured'] == pytest.approx(0.156)
