"""Ranges of ArrayRecord shards against array_record's own source."""

import pickle
import shutil
from typing import NamedTuple

import numpy as np
import pytest
from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter

from resflax.data.shards import BadShardsError, RangedSource, check_shards
from resflax.data.sources import load_dataset
from resflax.errors import DataError


class File(NamedTuple):
  filename: str
  skip: int
  take: int


class Shard(NamedTuple):
  filename: str
  examples_in_shard: int


@pytest.fixture(scope='module')
def files(tmp_path_factory):
  """Three shards, of which the second one is read in part."""
  folder, rng = tmp_path_factory.mktemp('shards'), np.random.default_rng(0)
  for name, count in (('a', 50), ('b', 100), ('c', 7)):
    writer = ArrayRecordWriter(str(folder / name), 'group_size:1')
    for _ in range(count):
      writer.write(rng.bytes(int(rng.integers(1, 2000))))
    writer.close()
  parts = (('a', 0, 50), ('b', 20, 70), ('c', 0, 7))
  return [File(str(folder / name), skip, take) for name, skip, take in parts]


@pytest.fixture(scope='module')
def theirs(files):
  return ArrayRecordDataSource(
    [f'{f.filename}[{f.skip}:{f.skip + f.take}]' for f in files]
  )


@pytest.mark.parametrize(
  'indices',
  [
    range(127),
    range(30, 90),
    range(45, 55),
    [3, 1, 2, 2],
    [*range(60, 100), 5, 99, *range(10, 40), 126],
    [*range(20), *range(20)],
    [],
  ],
  ids=str,
)
def test_records_are_array_records(files, theirs, indices):
  ours = RangedSource(theirs, files)
  expected = [theirs[index] for index in indices]
  assert ours.__getitems__(indices) == expected
  assert len(ours) == 127 and ours[126] == theirs[126]
  copy = pickle.loads(pickle.dumps(ours))
  assert copy.__getitems__(indices) == expected


def test_only_scattered_records_are_asked_of_the_source(files, theirs):
  class Few:
    asked = []

    def __getitems__(self, indices):
      self.asked += indices
      return theirs.__getitems__(indices)

  ours = RangedSource(Few(), files)
  ours.__getitems__([*range(47, 80), 5, 7])
  # 47 to 49 end the first shard, and are too few.
  assert Few.asked == [47, 48, 49, 5, 7]


def shards_of(tmp_path):
  """Digits, prepared, and the file of its training split."""
  load_dataset('digits', str(tmp_path))
  [path] = (tmp_path / 'digits/1.0.0').glob('digits-train.array_record*')
  return path


def test_a_missing_shard_is_found_before_training(tmp_path):
  shards_of(tmp_path).unlink()
  with pytest.raises(DataError, match='digits-train.*cannot be opened'):
    load_dataset('digits', str(tmp_path)).split('train')


def test_every_bad_shard_is_in_the_error(files):
  wrong = [Shard(f.filename, 50) for f in files] + [Shard('/none', 1)]
  with pytest.raises(BadShardsError, match='and 2 more: copy') as error:
    check_shards(wrong)
  assert [place for place, _ in error.value.faults] == [
    *(f.filename for f in files[1:]),
    '/none',
  ]
  copy = pickle.loads(pickle.dumps(error.value))
  assert str(copy) == str(error.value) and '\n' not in str(copy)


def test_a_shard_that_was_cut_off_is_found_before_training(tmp_path):
  path = shards_of(tmp_path)
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
  with pytest.raises(DataError, match='digits-train.*cannot be opened'):
    load_dataset('digits', str(tmp_path)).split('train')


def test_a_shard_of_too_few_examples_is_found_before_training(tmp_path):
  path = shards_of(tmp_path)
  [test] = path.parent.glob('digits-test.array_record*')
  shutil.copy(test, path)
  with pytest.raises(
    DataError, match='holds 360 examples and should hold 1,437'
  ):
    load_dataset('digits', str(tmp_path)).split('train[:10]')
  assert len(load_dataset('digits', str(tmp_path)).split('test')) == 360
