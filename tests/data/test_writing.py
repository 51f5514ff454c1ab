"""What is written is TFDS's, all of it or nothing."""

import dataclasses
import hashlib
import json
import os
import pathlib
import resource
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from resflax.data import shard_writing
from resflax.data.describing import check_origin
from resflax.data.prepared import PreparedDataset
from resflax.data.writing import Encoded, Images, write
from resflax.errors import StorageError, UsageError

RANDOM = np.random.Generator(np.random.Philox(3))
TRAIN = [
  Encoded(RANDOM.bytes(1000 + i), i % 2, f'a/{i}.jpg') for i in range(25)
]
TEST = [Encoded(b'\xff\xd8\xff', 1, 'b\udcff.jpg')]


@pytest.fixture
def images(tmp_path, monkeypatch):
  monkeypatch.setattr(shard_writing, 'SHARD_BYTES', 10_000)
  return Images(
    name='mine',
    version='2.1.0',
    description='Made.',
    origin={'folder': '/a', 'version': 'b'},
    class_names=['cat', 'dog'],
    channels=3,
    splits={'train': lambda: iter(TRAIN), 'test': lambda: iter(TEST)},
    data_dir=str(tmp_path),
  )


def test_it_is_read_in_the_order_in_which_it_was_given(images, tmp_path):
  write(images)
  dataset = PreparedDataset('mine', str(tmp_path))
  assert dataset.info.class_names == ('cat', 'dog')
  for split, want in (('train', TRAIN), ('test', TEST)):
    records = dataset.split(split)
    found = [
      (records[i]['image'], records[i]['label']) for i in range(len(want))
    ]
    assert found == [(e.image, e.label) for e in want]
  assert 'tensorflow' not in sys.modules


def test_its_files_are_those_of_tfds(images, tmp_path):
  write(images)
  folder = tmp_path / 'mine/2.1.0'
  shards = [f'mine-train.array_record-0000{i}-of-00003' for i in range(3)]
  shards.append('mine-test.array_record-00000-of-00001')
  described = ['dataset_info.json', 'features.json', 'label.labels.txt']
  described += ['metadata.json', 'sha256.json']
  assert sorted(os.listdir(folder)) == sorted(shards + described)
  assert os.listdir(tmp_path) == ['mine']
  builder = tfds.builder_from_directory(folder)
  train = builder.info.splits['train']
  assert builder.info.full_name == 'mine/2.1.0'
  assert train.shard_lengths == [10, 10, 5]
  payload = sum(len(e.image) + len(e.source) for e in TRAIN)
  assert 0 < train.num_bytes - payload < 100 * len(TRAIN)
  written = json.loads((folder / 'sha256.json').read_text())
  assert written == {
    name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for name in shards
  }


def test_the_version_is_that_of_the_examples(images, tmp_path):
  def version(train, data_dir):
    splits = {**images.splits, 'train': lambda: iter(train)}
    where = str(tmp_path / data_dir)
    write(dataclasses.replace(images, splits=splits, data_dir=where))
    return PreparedDataset('mine', where).info.version

  first = version(TRAIN, 'a')
  assert first.startswith('2.1.0+') and len(first) == len('2.1.0+') + 12
  assert version(TRAIN, 'b') == first
  assert version(TRAIN[::-1], 'c') != first


def test_a_full_disk_is_one_line_and_leaves_nothing(images, tmp_path):
  """A limit of sizes, for array_record tells of both in the same way."""
  limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, most))
  try:
    with pytest.raises(StorageError, match='/mine/2.1.0: .*File too large'):
      write(images)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
  assert not os.listdir(tmp_path)


@pytest.mark.parametrize('name', ['a\nb', ' a', 'a\r', ''])
def test_class_names_that_tfds_would_change_are_refused(images, name, tmp_path):
  with pytest.raises(UsageError, match='rename its folder'):
    write(dataclasses.replace(images, class_names=['cat', name]))
  assert not os.listdir(tmp_path)


def test_its_origin_is_kept(images, tmp_path):
  write(images)
  folder = str(tmp_path / 'mine/2.1.0')
  check_origin(folder, images.origin, 'wait')
  with pytest.raises(UsageError, match='version=b, and .* version=c: wait.'):
    check_origin(folder, {'folder': '/a', 'version': 'c'}, 'wait')
  with pytest.raises(UsageError, match='from something else'):
    check_origin(str(tmp_path), images.origin, 'wait')
  pathlib.Path(folder, 'metadata.json').write_text('{')
  with pytest.raises(UsageError, match='made from something else'):
    check_origin(folder, images.origin, 'wait')
