"""Split specs, slices, default splits, and reading many at once."""

import pickle

import pytest

from resflax.data.records import (
  DatasetInfo,
  Slice,
  default_splits,
  parse_split,
  read,
  take,
)
from resflax.errors import DataError, UsageError


def info(**splits):
  return DatasetInfo('toy', '1.0.0', ('a', 'b'), 3, splits)


class Numbers:
  """Records that count how they are read."""

  def __init__(self, size, broken=()):
    self.size, self.broken, self.calls = size, broken, 0

  def __len__(self):
    return self.size

  def __getitem__(self, index):
    self.calls += 1
    if index in self.broken:
      raise RuntimeError('bad block')
    return {'image': b'', 'label': index}

  def __repr__(self):
    return 'numbers'


class ManyNumbers(Numbers):
  """The same, with a way to read several at once."""

  def __getitems__(self, indices):
    self.calls += 1
    if set(indices) & set(self.broken):
      raise RuntimeError('bad batch')
    return [{'image': b'', 'label': index} for index in indices]


@pytest.mark.parametrize(
  ('spec', 'start', 'stop'),
  [
    ('train', 0, 1437),
    ('train[:98%]', 0, 1408),  # 1408.26
    ('train[98%:]', 1408, 1437),
    ('train[:50%]', 0, 718),  # 718.5 to even, and so does ...
    ('train[50%:]', 718, 1437),  # ... the other half's start
    ('train[10%:20%]', 144, 287),
    ('train[:0.5%]', 0, 7),
    ('train[100:1000]', 100, 1000),
    ('train[:1437]', 0, 1437),
    ('train[-37:]', 1400, 1437),
    ('train[-10%:]', 1293, 1437),
    ('train[:]', 0, 1437),
  ],
)
def test_parse_split(spec, start, stop):
  assert parse_split(spec, info(train=1437)) == ('train', start, stop)


def test_percentages_agree_with_tfds():
  from tensorflow_datasets.core import splits as tfds_splits

  for percent in (1, 2, 33, 50, 67, 98):
    for size in (1437, 60_000, 1_281_167):
      for spec in (f'train[:{percent}%]', f'train[{percent}%:]'):
        instruction = tfds_splits.ReadInstruction.from_spec(spec)
        (want,) = instruction.to_absolute(
          {
            'train': tfds_splits.SplitInfo(
              name='train',
              shard_lengths=[size],
              num_bytes=0,
            )
          }
        )
        got = parse_split(spec, info(train=size))[1:]
        assert got == (want.from_ or 0, want.to or size)


@pytest.mark.parametrize(
  ('spec', 'says'),
  [
    ('trian', "Did you mean 'train'"),
    ('train[', 'Malformed split'),
    ('train[:98%', 'Malformed split'),
    ('train[5]', 'Malformed split'),
    ('', 'Malformed split'),
    ('train[:98%]]', 'Malformed split'),
    ('train[:ten]', "Malformed bound 'ten'"),
    ('train[:1.5]', "Malformed bound '1.5'"),
    ('train[: 5]', "Malformed bound ' 5'"),
    ('train[:11]', '0:11 of 10'),
    ('train[:101%]', '0:11 of 10'),
    ('train[5:5]', '5:5 of 10'),
    ('train[8:2]', '8:2 of 10'),
    ('train[-11:]', '-1:10 of 10'),
    ('train+test', 'Unknown split'),
  ],
)
def test_wrong_splits_are_refused_in_one_line(spec, says):
  says_where = r'config.data.\*_split, or --split'
  with pytest.raises(UsageError, match=says_where) as error:
    parse_split(spec, info(train=10, test=5))
  assert says in str(error.value)
  assert '\n' not in str(error.value)


def test_take_gives_a_part_and_the_whole():
  records = Numbers(10)
  facts = info(train=10)
  assert take('train', facts, records) is records
  part = take('train[30%:50%]', facts, records)
  assert [record['label'] for record in (part[0], part[1])] == [3, 4]
  assert len(part) == 2 and repr(part) == 'toy train[30%:50%] (2 examples)'
  with pytest.raises(IndexError):
    part[2]
  assert pickle.loads(pickle.dumps(part))[1]['label'] == 4


def test_read_asks_once_where_the_source_can():
  for records, calls in ((Numbers(9), 3), (ManyNumbers(9), 1)):
    part = Slice(records, 2, 9, 'part')
    assert [r['label'] for r in read(part, [4, 0, 3])] == [6, 2, 5]
    assert records.calls == calls


@pytest.mark.parametrize('kind', [Numbers, ManyNumbers])
def test_read_names_the_one_that_cannot_be_read(kind):
  part = Slice(kind(9, broken=(6,)), 2, 9, 'part')
  with pytest.raises(DataError) as error:
    read(part, [0, 4, 3])
  assert str(error.value) == (
    'Cannot use example 6 of numbers: cannot be read: bad block'
  )
  assert len(read(part, [0, 3])) == 2


def test_default_splits():
  all_three = default_splits(info(train=9, validation=5, test=4))
  assert all_three[:3] == ('train', 'validation', 'test')
  two = default_splits(info(train=50_000, test=10_000))
  assert two[:3] == ('train[:98%]', 'train[98%:]', 'test')
  imagenet = default_splits(info(train=1_281_167, validation=50_000))
  assert imagenet[:3] == ('train[:98%]', 'train[98%:]', 'validation')
  one = default_splits(info(train=100))
  assert one[:3] == ('train[:80%]', 'train[80%:90%]', 'train[90%:]')
  for splits in (all_three, two, imagenet, one):
    assert splits.reason
  with pytest.raises(UsageError, match='only test'):
    default_splits(info(test=10))
