"""Windows of records: read once, by one thread, and let go of when used."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from resflax.data.records import read, read_each, where
from resflax.data.windows import WindowRecords
from resflax.errors import DataError, StorageError

BAD = DataError('PNG is damaged')


class Numbers:
  """The numbers below 100, some of which cannot be read."""

  def __init__(self, broken=(), error=BAD):
    self.broken = set(broken)
    self.error = error
    self.ranges = []

  def __len__(self):
    return 100

  def __getitem__(self, index):
    if index in self.broken:
      raise self.error
    return {'image': b'', 'label': index}

  def __getitems__(self, indices):
    self.ranges.append((indices[0], indices[-1] + 1))
    return [self[index] for index in indices]

  def __repr__(self):
    return 'numbers'


def labels(records, indices):
  return [r['label'] for r in read(records, indices)]


def test_a_window_is_read_at_once_and_kept_until_it_is_used_up():
  numbers = Numbers()
  windows = WindowRecords(numbers, size=8, keep=4)
  assert labels(windows, [3, 17, 96]) == [3, 17, 96]
  assert sorted(numbers.ranges) == [(0, 8), (16, 24), (96, 100)]
  assert labels(windows, [97, 98, 99, 0]) == [97, 98, 99, 0]
  assert len(numbers.ranges) == 3
  assert labels(windows, [99]) == [99]  # had been handed out
  assert numbers.ranges[3:] == [(96, 100)]
  assert len(windows) == 100 and repr(windows) == 'numbers'
  assert where(windows, 5) == 'example 5 of numbers'


def test_beyond_the_bound_the_oldest_windows_are_let_go():
  numbers = Numbers()
  windows = WindowRecords(numbers, size=8, keep=2)
  labels(windows, [0, 8])
  labels(windows, [16])
  assert labels(windows, [9, 17]) == [9, 17] and len(numbers.ranges) == 3
  assert labels(windows, [1]) == [1] and numbers.ranges[3:] == [(0, 8)]


def test_an_example_of_two_epochs_is_in_two_windows():
  """As at the end of an epoch, where a batch or a thread is in both."""
  numbers = Numbers()
  windows = WindowRecords(numbers, size=8, keep=4)
  assert labels(windows, [3, 3, 4]) == [3, 3, 4]
  assert numbers.ranges == [(0, 8)] * 2
  assert labels(windows, [4, 5, 6, 5]) == [4, 5, 6, 5]
  assert len(numbers.ranges) == 2


def test_threads_share_windows():
  numbers = Numbers()
  windows = WindowRecords(numbers, size=8, keep=13)
  parts = [list(range(first, 100, 16)) for first in range(16)]
  with ThreadPoolExecutor(16) as pool:
    found = list(pool.map(lambda part: labels(windows, part), parts))
  assert found == parts
  assert len(numbers.ranges) == 13 and not windows._windows


def test_a_bad_record_is_an_error_in_its_place():
  windows = WindowRecords(Numbers(broken=[5]), size=8, keep=4)
  found = read_each(windows, [4, 5, 6])
  assert [found[0]['label'], found[2]['label']] == [4, 6]
  assert str(found[1]) == 'PNG is damaged'
  with pytest.raises(DataError, match='example 5 of numbers: PNG is damaged'):
    read(windows, [5])


def test_storage_that_fails_is_not_remembered():
  numbers = Numbers(broken=[5], error=StorageError('503'))
  windows = WindowRecords(numbers, size=8, keep=4)
  for _ in range(2):
    with pytest.raises(StorageError, match='503'):
      read_each(windows, [4])
  numbers.broken.clear()
  assert labels(windows, [4, 5]) == [4, 5]


def test_workers_begin_empty():
  windows = WindowRecords(Numbers(), size=8, keep=4)
  labels(windows, [0])
  copy = pickle.loads(pickle.dumps(windows))
  assert labels(copy, [0, 1]) == [0, 1]
  assert copy.records.ranges == [(0, 8)] * 2
