"""The order of the examples: a function of the seed and the step."""

import numpy as np
import pytest

from resflax.data import order as order_lib
from resflax.data.order import (
  check_stages,
  example_ids,
  local_rows,
  order_of,
)
from resflax.errors import UsageError
from resflax.resolution import Stage


@pytest.fixture(params=['held', 'cipher'])
def either(request, monkeypatch):
  """Both ways to shuffle: small sets' and large sets'."""
  if request.param == 'cipher':
    monkeypatch.setattr(order_lib, 'HELD', 0)


@pytest.mark.usefixtures('either')
@pytest.mark.parametrize('n', [1, 2, 7, 103])
def test_every_epoch_holds_every_example_once(n):
  ids = example_ids(0, n, range(5 * n))
  for epoch in range(5):
    rows = ids[epoch * n : (epoch + 1) * n]
    assert {e for e, _ in rows} == {epoch}
    assert sorted(i for _, i in rows) == list(range(n))


@pytest.mark.usefixtures('either')
def test_epochs_and_seeds_differ_and_repeat():
  def order(seed, epoch):
    return [
      i for _, i in example_ids(seed, 50, range(epoch * 50, 50 * epoch + 50))
    ]

  orders = [order(seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
  assert len({tuple(o) for o in orders}) == 4
  assert order(1, 1) == orders[3]


def test_the_shuffle_is_even():
  """Over epochs, each of ten examples comes to each place equally often."""
  epochs = 3000
  ids = example_ids(0, 10, range(10 * epochs))
  order = np.array([i for _, i in ids]).reshape(epochs, 10)
  counts = np.stack([np.bincount(place, minlength=10) for place in order.T])
  assert np.abs(counts - epochs / 10).max() < 90  # 5.5 deviations of 16.4
  # ... and no example tends to follow another
  follows = np.zeros((10, 10))
  np.add.at(follows, (order[:, :-1], order[:, 1:]), 1)
  off = follows[~np.eye(10, dtype=bool)]
  assert np.abs(off - epochs * 9 / 90).max() < 90


@pytest.mark.usefixtures('either')
def test_large_positions_are_exact():
  position = 2**53 * 1000 + 1
  ((epoch, index),) = example_ids(0, 1000, [position])
  assert epoch == position // 1000 and 0 <= index < 1000


@pytest.mark.parametrize('count', [1, 2, 4])
def test_shards_cut_the_global_batch_into_consecutive_rows(count):
  rows = [local_rows(16, (i, count)) for i in range(count)]
  assert [r for part in rows for r in part] == list(range(16))


@pytest.mark.parametrize('shard', [(0, 3), (2, 2), (-1, 2)])
def test_a_batch_that_shards_do_not_divide_is_refused(shard):
  with pytest.raises(UsageError, match=r'config\.batch_size'):
    local_rows(16, shard)


def test_orders_by_name():
  assert order_of('global') == (example_ids, local_rows)
  with pytest.raises(UsageError, match=r"'lane'.*'lanes'.*config\.data\.shuf"):
    order_of('lane')


def test_stages():
  stages = (Stage(0, 16), Stage(3, 24), Stage(10, 32))
  check_stages(stages)
  for firsts in ((), (1,), (0, 0), (0, 5, 3)):
    bad = [Stage(first, 8) for first in firsts]
    with pytest.raises(UsageError, match='from step 0'):
      check_stages(bad)


def test_the_order_is_pinned(monkeypatch):
  """A run resumed under newer versions of NumPy and Grain goes on."""
  held = [i for _, i in example_ids(0, 10, range(10, 20))]
  assert held == [0, 1, 5, 4, 6, 9, 2, 8, 3, 7]
  monkeypatch.setattr(order_lib, 'HELD', 0)
  cipher = [i for _, i in example_ids(0, 100_000, range(100_000, 100_004))]
  assert cipher == [94370, 79094, 82814, 30789]
