"""What the evidence of a sweep says of depth, width and resolution."""

import numpy as np
import pytest

from resflax.sweeps.growth import growth, resolution
from tests.sweeps.synthetic import point

OPTIONS = {'least_decades': 1.5, 'refits': 200}


def net(number, blocks, width, loss, *, group='g', macs=100):
  return point(
    number,
    1e12,
    [0.5] * len(loss),
    depths=(blocks,),
    width=width,
    macs=macs,
    loss=tuple(loss),
    group=group,
  )


def found(rows, **laws):
  empty = {axis: {'points': []} for axis in ('depth', 'width')}
  return {
    'depth_or_width': rows,
    'laws': {**empty, **laws},
    'metric': 'error',
    'level': 0.9,
  }


def row(grow, train=None):
  return {
    'deep': 'd',
    'wide': 'w',
    'held_out': [0.01, 0.02],
    'train': train,
    'grow': grow,
  }


DEEP, WIDE = net(0, 4, 0.5, (1, 1)), net(1, 2, 0.75, (1, 1))
OTHER = [net(2, 4, 0.5, (1, 1), group='h'), net(3, 2, 0.75, (1, 1), group='h')]


@pytest.mark.parametrize(
  'verdicts, value, words',
  [
    (['depth'], 'depth', 'w minus d'),
    (['width'], 'width', 'equal MACs'),
    (['undecided'], 'undecided', '--train_loss'),
  ],
)
def test_a_pair_of_equal_cost_decides(verdicts, value, words):
  decided = growth([DEEP, WIDE], DEEP, found(list(map(row, verdicts))), OPTIONS)
  assert decided.value == value and words in decided.reason


def test_pairs_that_disagree_do_not_decide():
  more = net(4, 3, 0.6, (1, 1))
  rows = [row('depth'), row('width'), row('undecided')]
  decided = growth([DEEP, WIDE, more], DEEP, found(rows), OPTIONS)
  assert decided.value == 'undecided' and 'disagree' in decided.reason


@pytest.mark.parametrize('others, value', [(1, 'depth'), (2, 'undecided')])
def test_half_of_the_pairs_have_to_tell(others, value):
  wide = [net(5 + i, 2, 0.7, (1, 1)) for i in range(others)]
  rows = [row('depth')] + [row('undecided')] * others
  decided = growth([DEEP, WIDE, *wide], DEEP, found(rows), OPTIONS)
  assert decided.value == value
  assert ('by 1 of 3 pairs alone' in decided.reason) == (others == 2)


def test_pairs_of_other_data_do_not_count():
  points = [DEEP, *OTHER]
  decided = growth(points, DEEP, found([row('width')]), OPTIONS)
  assert decided.value == 'undecided'
  assert 'no two nets of equal MACs' in decided.reason


@pytest.mark.parametrize('better', ['depth', 'width'])
def test_families_decide_where_there_is_no_pair(better):
  rng = np.random.default_rng(0)
  points = []
  for axis, exponent in (('depth', 0.2), ('width', 0.2)):
    exponent += 0.15 * (axis == better)
    for i, compute in enumerate(1e12 * np.logspace(0, 2.5, 8)):
      error = 0.05 + 0.55 * (compute / 1e12) ** -exponent
      draws = error * np.exp(0.02 * rng.standard_normal(3))
      points.append(point(len(points), compute, draws, macs=10**i))
  laws = {
    'depth': {'points': list(range(8))},
    'width': {'points': list(range(8, 16))},
  }
  decided = growth(points, points[0], found([], **laws), OPTIONS)
  assert decided.value == better and 'grown alone to' in decided.reason


def frontier(exponent, noise=0.0, count=8):
  rng = np.random.default_rng(1)
  compute = 1e12 * np.logspace(0, 2, count)
  sizes = 64 * (compute / 1e12) ** exponent
  sizes = sizes * np.exp(noise * rng.standard_normal(count))
  return [
    point(i, c, [0.1], resolution=round(size))
    for i, (c, size) in enumerate(zip(compute, sizes, strict=True))
  ]


def test_resolution_follows_the_frontier():
  times, why = resolution(frontier(0.2, 0.01), 100.0)
  assert times == pytest.approx(100**0.2, rel=0.1)
  assert 'compute^0.2' in why


@pytest.mark.parametrize(
  'points, words',
  [
    (frontier(0.0, 0.1), 'which may be none'),
    (frontier(0.2, count=3), '3 points alone'),
    (frontier(0.0), '64 px alone'),
  ],
)
def test_resolution_stays_where_nothing_shows_its_growth(points, words):
  times, why = resolution(points, 100.0)
  assert times == 1 and words in why
