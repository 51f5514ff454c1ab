"""Shapes that grow a step at a time, and pairs that would decide."""

import pytest

from resflax import path, scaling
from resflax.sweeps.growing import deeper, grown, wider, would_decide
from resflax.sweeps.recipe import Shape

START = Shape((3, 4, 6, 3), 1.0, 160)


def macs(shape):
  fields = {
    'variant': 'resnet_rs_50',
    'depths': shape.depths,
    'width': shape.width,
  }
  return scaling.totals(scaling.count(fields, shape.resolution)).macs


def test_depth_keeps_the_proportions_of_the_start():
  shape = START
  for _ in range(6):
    shape = deeper(START, shape)
  assert shape.depths == (6, 8, 12, 6)
  assert deeper(Shape((2, 2, 2), 1.0, 8), Shape((2, 2, 2), 1.0, 8)).depths == (
    (3,) * 3
  )


@pytest.mark.parametrize(
  'width, next_one',
  [
    (0.125, 0.15625),
    (0.25, 0.28125),
    (0.75, 0.8125),
    (1.0, 1.125),
    (2.0, 2.25),
  ],
)
def test_width_grows_by_an_eighth_of_its_octave(width, next_one):
  assert wider(START._replace(width=width)).width == next_one


@pytest.mark.parametrize('grow', ['depth', 'width', 'undecided'])
def test_what_is_grown_fits_and_the_next_one_does_not(grow):
  budget = 4 * macs(START)
  within, above = grown(START, grow, lambda shape: macs(shape) <= budget)
  assert macs(within) <= budget < macs(above)
  assert (within.depths == START.depths) == (grow == 'width')
  assert (within.width == START.width) == (grow == 'depth')
  if grow == 'undecided':
    by_depth = sum(within.depths) / sum(START.depths)
    assert by_depth == pytest.approx((within.width / START.width) ** 2, rel=0.4)
    assert macs(within) > 0.8 * budget  # the smaller step fills what is left


def test_nothing_grows_where_no_step_fits():
  within, above = grown(START, 'depth', lambda shape: shape == START)
  assert within == START and above == deeper(START, START)


def test_a_pair_that_would_decide_is_of_equal_macs():
  start = Shape(path.ROWS[0], 0.5, 160)
  deep, wide = would_decide(start, macs)
  costs = [macs(shape) for shape in (deep, wide, start)]
  assert sum(deep.depths) > sum(wide.depths) == sum(start.depths)
  assert deep.width == start.width < wide.width
  assert max(costs[:2]) <= 1.1 * min(costs[:2])
  assert costs[0] >= 1.5 * costs[2]
