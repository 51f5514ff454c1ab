"""The eleven published points from three kinds of budget; what lies between."""

import itertools

import pytest

from resflax import path
from resflax.errors import UsageError
from resflax.path import Point, depths_of, for_budget
from resflax.published import PUBLISHED, TPU_V3_MS

# (variant, resolution, "FLOPs" in billions). Source: Bello et al. 2021, table
# 7; its FLOPs are twice the MACs, to two or three digits.
TABLE = (
  *(('resnet_rs_50', 160, 4.6), ('resnet_rs_101', 160, 8.4)),
  *(('resnet_rs_101', 192, 12), ('resnet_rs_152', 192, 18)),
  *(('resnet_rs_152', 224, 24), ('resnet_rs_152', 256, 31)),
  *(('resnet_rs_200', 256, 40), ('resnet_rs_270', 256, 54)),
  *(('resnet_rs_350', 256, 69), ('resnet_rs_350', 320, 107)),
  ('resnet_rs_420', 320, 128),
)
POINTS = list(path.published())


def test_the_law_visits_the_published_points_in_their_order():
  assert [p.key for p in POINTS] == [row[:2] for row in TABLE]
  for point, (name, resolution, _) in zip(POINTS, TABLE, strict=True):
    assert point.macs == PUBLISHED[name].macs[resolution]


@pytest.mark.parametrize('row', TABLE, ids=lambda row: f'{row[0]}@{row[1]}')
def test_a_published_budget_gives_its_point(row):
  name, resolution, flops = row
  for budget in (PUBLISHED[name].macs[resolution], flops / 2 * 1e9):
    found = for_budget(budget)
    assert (found.key, found.source) == (row[:2], path.PUBLISHED)
  ms = TPU_V3_MS[row[:2]]
  found = for_budget(ms, cost=lambda p: p.milliseconds)
  assert found.key == row[:2]
  assert found.milliseconds == pytest.approx(ms)


def budgets():
  return [9e8 * 1.07**n for n in range(80)]


def test_a_larger_budget_never_gives_a_cheaper_net():
  costs = [for_budget(budget).macs for budget in budgets()]
  assert len(set(costs)) > 40
  assert all(a <= b for a, b in itertools.pairwise(costs))
  for budget, cost in zip(budgets(), costs, strict=True):
    assert 0.9 * budget < cost <= 1.01 * budget
    if for_budget(budget).source != path.PUBLISHED:
      assert cost <= budget


def test_a_larger_budget_never_gives_a_cheaper_wide_net():
  wides = [path.wide_for_budget(budget) for budget in budgets()]
  assert all(a.macs <= b.macs for a, b in itertools.pairwise(wides))
  for budget, wide in zip(budgets(), wides, strict=True):
    assert (0.75 if budget > 2e9 else 0.6) * budget < wide.macs <= budget


def test_more_time_never_gives_a_faster_net():
  def within(ms):
    return for_budget(ms, cost=lambda p: p.milliseconds)

  limits = [31 * 1.1**n for n in range(60)]
  times = [within(ms).milliseconds for ms in limits]
  assert len(set(times)) > 30
  assert all(a <= b for a, b in itertools.pairwise(times))
  for ms, found in zip(limits, times, strict=True):
    assert 0.88 * ms < found <= 1.01 * ms


def test_beyond_the_table_is_called_extrapolated():
  first, last = POINTS[0], POINTS[-1]
  assert for_budget(0.9 * first.macs).source == path.EXTRAPOLATED
  assert for_budget(1.2 * last.macs).source == path.EXTRAPOLATED
  between = for_budget(13.5e9)
  assert between == Point((3, 15, 36, 3), 224, 1.0, path.INTERPOLATED)


def test_rows_grow_block_by_block():
  assert [depths_of(sum(row)) for row in path.ROWS] == list(path.ROWS)
  for blocks in range(8, 300):
    depths = depths_of(blocks)
    assert sum(depths) == blocks and min(depths) >= 2
  # The published rows of 350 and 420 layers, not of 270.
  assert depths_of(142) == (4, 45, 89, 4)
  macs = [Point(depths_of(n), 224).macs for n in range(8, 200)]
  assert all(a < b for a, b in itertools.pairwise(macs))


def test_a_wide_net_of_a_budget():
  wide = path.wide_for_budget(20e9)
  assert (wide.depths, wide.resolution) == ((3, 4, 23, 3), 256)
  assert wide.macs <= 20e9
  wider = wide._replace(width=wide.width + 0.125)
  assert wider.macs > 20e9
  assert path.wide_for_budget(3e9).depths == (3, 4, 6, 3)


def test_a_budget_that_is_a_slip_is_refused():
  largest = POINTS[-1].macs
  far = for_budget(99 * largest)
  assert far.macs <= 99 * largest and far.source == path.EXTRAPOLATED
  deeper = far._replace(depths=depths_of(sum(far.depths) + 1))
  assert deeper.macs > 99 * largest
  for decide in (for_budget, path.wide_for_budget):
    with pytest.raises(UsageError, match='times the largest published model'):
      decide(1e15)


def test_a_budget_that_is_too_small_is_refused():
  with pytest.raises(UsageError, match='26 layers at 128 pixels, costs'):
    for_budget(5e8)
  with pytest.raises(UsageError, match='1/8 of the width costs'):
    path.wide_for_budget(1e6)
