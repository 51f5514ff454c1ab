"""Split specs, their parts, and the default splits."""

import pickle

import pytest

from resflax.data.records import DatasetInfo
from resflax.data.splits import default_splits, parse_split, take
from resflax.errors import UsageError
from tests.data.test_records import Numbers


def info(**splits):
  return DatasetInfo('toy', '1.0.0', ('a', 'b'), 3, splits)


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
  assert parse_split(spec, info(train=1437)) == ('train', start, stop, None)


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
        got = parse_split(spec, info(train=size))[1:3]
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
    ('train@x', 'Malformed split'),
    ('train@', 'Malformed split'),
    ('train@3[5:5]', '5:5 of 10'),
    ('test@0[:6]', '0:6 of 5'),
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


def drawn(spec, size=100):
  part = take(spec, info(train=size), Numbers(size))
  return [part[i]['label'] for i in range(len(part))]


def test_a_draw_is_an_order_of_all():
  """Pinned: a run says by its number which labels it had."""
  assert drawn('train@3[:8]') == [10, 73, 37, 17, 47, 93, 36, 15]
  assert sorted(drawn('train@3')) == list(range(100))
  assert drawn('train@3[:7%]') + drawn('train@3[7%:]') == drawn('train@3')
  assert drawn('train@3') != drawn('train@4')
  part = take('train@3[7%:]', info(train=100), Numbers(100))
  assert repr(part) == 'toy train@3[7%:] (93 examples)'
  assert pickle.loads(pickle.dumps(part))[5] == part[5]
  assert part.where(0) == f'example {part[0]["label"]} of numbers'


@pytest.mark.parametrize(
  ('one', 'other', 'share'),
  [
    ('train@3[:7]', 'train@3[7:]', False),
    ('train@3[:8]', 'train@3[7:]', True),
    ('train@3[:7]', 'train@4[7:]', True),
    ('train@3[:7]', 'train[7:]', True),
    ('train[:7]', 'train[7:]', False),
    ('train@3', 'test', False),
  ],
)
def test_parts_that_may_share_an_example(one, other, share):
  facts = info(train=10, test=5)
  one, other = parse_split(one, facts), parse_split(other, facts)
  assert one.may_share(other) is share is other.may_share(one)
