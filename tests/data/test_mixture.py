"""Labelled data and others by turns: a function of the position alone."""

import collections

import numpy as np
import pytest

from resflax.data.augment import Augment
from resflax.data.memory import ArrayDataset
from resflax.data.mixture import MixedDataset, MixedRecords, example_ids
from resflax.data.pipeline import train_batches
from resflax.data.sources import load_dataset
from resflax.errors import DataError, UsageError
from resflax.resolution import Stage
from tests.data.files import Files
from tests.data.pseudo import write_pseudo

SLOW = pytest.mark.slow
SIZES = (6, 15)  # of the sources; the labels of the second are 6 to 20


class Shifted(Files):
  """Files whose labels go on behind those of the first source."""

  def __getitem__(self, index):
    example = super().__getitem__(index)
    return {**example, 'label': example['label'] + SIZES[0]}


def mixed(broken=(), soft=0):
  return MixedRecords(
    [Files(SIZES[0]), Shifted(SIZES[1], broken=broken)], (1, 3), soft
  )


def train(records, start=0, stop=9, **changes):
  settings = dict(
    seed=3,
    batch_size=8,
    stages=(Stage(0, 8),),
    augment=Augment(),
    channels=3,
  )
  return train_batches(records, start=start, stop=stop, **(settings | changes))


def ids(shuffle, count, sizes=SIZES, ratios=(1, 3)):
  records = MixedRecords([range(n) for n in sizes], ratios, 0)
  return example_ids(records, shuffle, 3, range(count))


@pytest.mark.parametrize('shuffle', ['global', 'lanes'])
def test_ratios_are_exact_and_every_source_has_epochs_of_its_own(shuffle):
  sizes = (256, 768) if shuffle == 'lanes' else SIZES
  found = ids(shuffle, 4 * sizes[0] * 2, sizes)
  seen = {0: collections.Counter(), 1: collections.Counter()}
  for epoch, index in found:
    seen[int(index >= sizes[0])][epoch, index] += 1
  assert sum(seen[0].values()) * 3 == sum(seen[1].values())
  assert set(seen[0].values()) == {1} == set(seen[1].values())
  # Two epochs of the labels, and as many of the others as there are.
  assert set(seen[0]) == {(e, i) for e in range(2) for i in range(sizes[0])}


def test_equal_sources_have_orders_of_their_own():
  found = ids('global', 32, (16, 16), (1, 1))
  first = [i for _, i in found if i < 16]
  second = [i - 16 for _, i in found if i >= 16]
  assert sorted(first) == sorted(second) and first != second


def test_labels_and_images_are_those_of_the_order():
  batches = list(train(mixed()))
  labels = np.concatenate([batch['label'] for batch in batches]).tolist()
  assert labels == [i for _, i in ids('global', 72)]
  assert 'soft_classes' not in batches[0]


@pytest.mark.parametrize(
  'changes',
  [
    {'start': 4},
    {'shard': (1, 2)},
    {'shard': (3, 4)},
    pytest.param({'workers': 2}, marks=SLOW),
  ],
  ids=str,
)
def test_nothing_but_seed_and_step_changes_a_batch(changes):
  whole = list(train(mixed()))[changes.get('start', 0) :]
  index, count = changes.get('shard', (0, 1))
  rows = slice(index * 8 // count, (index + 1) * 8 // count)
  for got, want in zip(train(mixed(), **changes), whole, strict=True):
    for name in ('image', 'label'):
      np.testing.assert_array_equal(got[name], want[name][rows])


def test_lanes_are_one_order_for_any_hosts():
  records = MixedRecords([Files(64), Files(200)], (1, 3), 0)
  settings = {'shuffle': 'lanes', 'batch_size': 1024, 'stop': 1}
  whole = train(records, **settings)
  shards = [train(records, shard=(i, 4), **settings) for i in range(4)]
  for one, *parts in zip(whole, *shards, strict=True):
    together = np.concatenate([part['label'] for part in parts])
    np.testing.assert_array_equal(together, one['label'])


def test_a_bad_example_is_replaced_and_named():
  found = {bad for batch in train(mixed(broken=(4,))) for bad in batch['bad']}
  assert [(bad.index, bad.place) for bad in found] == [
    (SIZES[0] + 4, 'example 4 of files')
  ]


def test_records_are_read_by_source():
  records = mixed()
  found = records.__getitems__([20, 0, 6, 5])
  assert [example['label'] for example in found] == [20, 0, 6, 5]
  assert len(records) == 21 and records[6]['label'] == 6
  assert records.where(6) == 'example 0 of files'

  class Broken(Files):
    def __getitem__(self, index):
      raise OSError('gone')

  found = MixedRecords([Files(2), Broken(2)], (1, 1), 0).__getitems__([3, 0])
  assert isinstance(found[0], DataError) and found[1]['label'] == 0


@pytest.fixture
def labelled():
  images = np.zeros((9, 8, 8, 1), np.uint8)
  return ArrayDataset(
    {'train': (images, np.arange(9) % 3), 'test': (images, np.arange(9) % 3)},
    class_names=('a', 'b', 'c'),
  )


def test_soft_labels_come_with_their_rows(labelled, tmp_path):
  rows = write_pseudo(tmp_path)
  pseudo = load_dataset(f'pseudo:{tmp_path}/pseudo')
  dataset = MixedDataset(labelled, [pseudo], (1, 3), soft=True)
  assert dataset.soft == 2
  assert dataset.info.version.startswith('memory and pseudo 1.0.0+')
  records = dataset.mixed('train[:6]')
  [batch] = train(records, stop=1, channels=1)
  for (_, index), *got in zip(
    example_ids(records, 'global', 3, range(8)),
    batch['label'],
    batch['soft_classes'].tolist(),
    batch['soft_weights'].tolist(),
    strict=True,
  ):
    if index < 6:
      assert got == [index % 3, [0, 0], [0.0, 0.0]]
    else:
      classes, weights = rows[index - 6]
      assert got == [classes[0], classes, weights]
  hard = MixedDataset(labelled, [pseudo], (1, 3), soft=False)
  [batch] = train(hard.mixed('train[:6]'), stop=1, channels=1)
  assert 'soft_classes' not in batch
  assert len(dataset.split('test')) == 9


def test_other_classes_are_refused(labelled, tmp_path):
  for classes, says in (
    (('a', 'x', 'c'), "1 is 'b' and 'x'"),
    (('a', 'b'), '3 and 2 of them'),
  ):
    data_dir = tmp_path / says[:1]
    write_pseudo(data_dir, classes=classes)
    pseudo = load_dataset('pseudo', str(data_dir))
    with pytest.raises(UsageError, match=says):
      MixedDataset(labelled, [pseudo], (1, 3), soft=True)


def test_other_numbers_of_soft_classes_are_refused(labelled, tmp_path):
  sets = []
  for k in (2, 3):
    write_pseudo(tmp_path, f'top{k}', k=k)
    sets.append(load_dataset(f'pseudo:{tmp_path}/top{k}'))
  with pytest.raises(UsageError, match='keep 2 and 3 classes.*--top_k'):
    MixedDataset(labelled, sets, (1, 1, 1), soft=True)
  assert not MixedDataset(labelled, sets, (1, 1, 1), soft=False).soft


def test_a_pseudo_labelled_set_that_is_not_there_says_how_to_write_it(tmp_path):
  with pytest.raises(UsageError, match=f'pseudo_label --out={tmp_path}/none'):
    load_dataset(f'pseudo:{tmp_path}/none')
