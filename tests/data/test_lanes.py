"""The order for object stores: random, in long ranges, for any hosts."""

import numpy as np
import pytest

from resflax.data import lanes
from resflax.data.augment import Augment
from resflax.data.lanes import LANES, WINDOW, example_ids, local_rows
from resflax.data.pipeline import train_batches
from resflax.data.windows import WindowRecords
from resflax.errors import UsageError
from resflax.resolution import Stage
from tests.data.files import Files

SIZES = (1, 5, 255, 256, 257, 1437, 8192, 20_001)


def epoch_of(n, epoch, seed=0):
  return example_ids(seed, n, range(epoch * n, (epoch + 1) * n))


@pytest.mark.parametrize('n', SIZES)
@pytest.mark.parametrize('epoch', [0, 3])
def test_every_epoch_holds_every_example_once(n, epoch):
  rows = epoch_of(n, epoch)
  assert {e for e, _ in rows} == {epoch}
  assert sorted(i for _, i in rows) == list(range(n))


def shuffled(seed, stream, counter, values):
  words = np.random.Philox(key=[seed, stream], counter=[0, 0, *counter])
  return values[np.argsort(words.random_raw(len(values)), kind='stable')]


def laid_out(n, epoch, size, seed=0):
  """Each lane's examples in turn, with the blocks laid out one by one."""
  blocks = shuffled(seed, 2, [0, epoch], np.arange(-(-n // size)))
  row = np.concatenate(
    [np.arange(b * size, min((b + 1) * size, n)) for b in blocks]
  )
  # Where in a row of equal blocks, for that is what names a window.
  places = np.concatenate(
    [
      at * size + np.arange(min(size, n - b * size))
      for at, b in enumerate(blocks)
    ]
  )
  positions = np.arange(epoch * n, (epoch + 1) * n)
  counts = np.bincount(positions % LANES, minlength=LANES)
  found, first = {}, 0
  for lane in (int(f'{k:08b}'[::-1], 2) for k in range(LANES)):
    part = slice(first, first + counts[lane])
    ids, at = row[part], places[part]
    first += counts[lane]
    # A window ends with its block as well, if that is the short one.
    cuts = np.flatnonzero(np.diff(at // WINDOW) | (np.diff(at) > 1)) + 1
    found[lane] = [
      i
      for some, where in zip(
        np.split(ids, cuts), np.split(at, cuts), strict=True
      )
      for i in (shuffled(seed, 3, [where[0], epoch], some) if len(some) else ())
    ]
  return found


@pytest.mark.parametrize(
  ('n', 'size'), [(1437, 128), (20_001, 128), (70_001, 256), (263_001, 1024)]
)
def test_the_order_is_that_of_blocks_laid_end_to_end(n, size):
  assert lanes.block_size(n) == size
  for lane, expected in list(laid_out(n, 1, size).items())[:: 1 + n // 9000]:
    positions = [p for p in range(n, 2 * n) if p % LANES == lane]
    assert [i for _, i in example_ids(0, n, positions)] == expected


@pytest.mark.parametrize(
  ('n', 'size'),
  [(1, 128), (65_535, 128), (65_536, 256), (262_143, 512), (262_144, 1024)],
)
def test_blocks_are_smaller_where_there_would_be_fewer_than_the_lanes(n, size):
  assert lanes.block_size(n) == size
  assert size in (WINDOW, lanes.BLOCK) or n // size >= LANES


def test_epochs_and_seeds_differ_and_repeat():
  orders = [epoch_of(5000, e, seed) for seed in (0, 1) for e in (0, 1)]
  assert len({tuple(i for _, i in order) for order in orders}) == 4
  assert epoch_of(5000, 1, seed=1) == orders[3]


def test_examples_are_mixed_over_the_whole_set():
  n, size = 40_000, 250
  first, second = (
    np.array([i for _, i in epoch_of(n, epoch)]) for epoch in (0, 1)
  )
  for batch in first.reshape(-1, size):
    assert len(set(batch // WINDOW)) == size  # of 313
  # Examples that were in one batch come together again nearly by chance.
  batches = np.argsort(first) // size, np.argsort(second) // size
  _, counts = np.unique(batches[0] * n + batches[1], return_counts=True)
  pairs = (counts * (counts - 1) // 2).sum()
  by_chance = (n / size) * (size * (size - 1) / 2) * (size - 1) / (n - 1)
  assert abs(pairs / by_chance - 1) < 0.1


def test_large_positions_are_exact():
  position = 2**53 * 1000 + 1
  ((epoch, index),) = example_ids(0, 1000, [position])
  assert epoch == position // 1000 and 0 <= index < 1000


def test_the_order_is_pinned():
  """A run resumed under newer versions of NumPy goes on."""
  assert [i for _, i in example_ids(0, 10, range(10, 20))] == [
    3,
    8,
    1,
    6,
    4,
    9,
    0,
    5,
    2,
    7,
  ]
  found = [i for _, i in example_ids(7, 1_281_167, range(2**40, 2**40 + 4))]
  assert found == [629854, 738801, 669433, 1234235]


@pytest.mark.parametrize('batch_size', [8, 96, 256, 1000, 1024])
def test_shards_have_rows_of_the_same_batch_and_lanes_of_their_own(batch_size):
  whole = local_rows(batch_size, (0, 1))
  assert sorted(whole) == list(range(batch_size))
  for count in (1, 2, 4, 8):
    shards = [local_rows(batch_size, (i, count)) for i in range(count)]
    assert [place for rows in shards for place in rows] == whole
    seen = [
      {(step * batch_size + p) % LANES for step in range(256) for p in rows}
      for rows in shards
    ]
    assert [len(s) for s in seen] == [LANES // count] * count
    assert set().union(*seen) == set(range(LANES))


@pytest.mark.parametrize(
  ('batch_size', 'shard'),
  [(24, (0, 3)), (12, (0, 8)), (1024, (0, 512)), (16, (2, 2)), (16, (-1, 2))],
)
def test_shards_that_divide_no_batch_or_no_lanes_are_refused(batch_size, shard):
  with pytest.raises(UsageError, match=r'has to divide 256 and config\.batch'):
    local_rows(batch_size, shard)


class Counted:
  """Records without content that count how they are read."""

  def __init__(self, n):
    self.n = n
    self.reads = 0

  def __len__(self):
    return self.n

  def __getitem__(self, index):
    self.reads += 1
    return {'label': index}

  def __getitems__(self, indices):
    indices = np.asarray(indices)
    self.reads += 1 + np.count_nonzero(np.diff(indices) != 1)
    return [{'label': i} for i in indices.tolist()]


@pytest.mark.parametrize(
  ('n', 'batch_size', 'shard', 'epochs'),
  [
    (1437, 64, (0, 1), 4),
    (20_001, 128, (0, 1), 2),
    (50_001, 256, (1, 4), 2),
    (300_001, 1024, (5, 8), 1),
    (1_281_167, 4096, (3, 32), 1),
  ],
)
def test_windows_are_read_once_an_epoch(n, batch_size, shard, epochs):
  """A hundredth of the reads that one for each example would be, and less."""
  records, rows = Counted(n), local_rows(batch_size, shard)
  keep = lanes.windows_kept(len(rows), shard[1])
  windows = WindowRecords(records, WINDOW, keep)
  examples = held = 0
  # In the order in which 18 threads might come to them.
  steps, rng = np.arange(epochs * n // batch_size), np.random.default_rng(0)
  for step in steps[np.argsort(steps + 18 * rng.random(len(steps)))].tolist():
    positions = [step * batch_size + row for row in rows]
    ids = [i for _, i in example_ids(0, n, positions)]
    assert [r['label'] for r in windows.__getitems__(ids)] == ids
    examples += len(ids)
    held = max(held, sum(len(w.unclaimed) for w in windows._windows))
  assert records.reads * 100 <= examples
  assert held <= WINDOW * LANES / shard[1] + 18 * len(rows)
  assert len(windows._windows) < keep


STAGES = (Stage(0, 8), Stage(5, 12))


def train(start=0, stop=8, **changes):
  settings = dict(
    batch_size=16, seed=3, stages=STAGES, augment=Augment(), channels=3
  )
  return list(
    train_batches(
      Files(21), start=start, stop=stop, shuffle='lanes', **settings | changes
    )
  )


def assert_equal(ours, theirs):
  assert len(ours) == len(theirs)
  for one, other in zip(ours, theirs, strict=True):
    np.testing.assert_array_equal(one['image'], other['image'])
    np.testing.assert_array_equal(one['label'], other['label'])


@pytest.fixture(scope='module')
def whole():
  return train()


def test_labels_follow_the_order(whole):
  """Within a batch the rows are by lanes; batches are as positions are."""
  expected = np.array([i for _, i in example_ids(3, 21, range(8 * 16))])
  rows = local_rows(16, (0, 1))
  for batch, ids in zip(whole, expected.reshape(8, 16), strict=True):
    np.testing.assert_array_equal(batch['label'], ids[rows])


@pytest.mark.parametrize('start', [1, 5])
def test_any_step_may_be_the_first(whole, start):
  assert_equal(train(start), whole[start:])


@pytest.mark.parametrize('count', [2, 8])
def test_shards_together_are_the_global_batch(whole, count):
  shards = [train(shard=(i, count)) for i in range(count)]
  together = [
    {k: np.concatenate([p[k] for p in parts]) for k in ('image', 'label')}
    for parts in zip(*shards, strict=True)
  ]
  assert_equal(together, whole)


@pytest.mark.slow
def test_workers_make_the_same_batches(whole):
  assert_equal(train(3, workers=2), whole[3:])
