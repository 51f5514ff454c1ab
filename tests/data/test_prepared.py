"""TFDS data sets from disk, digits first of all, and never TensorFlow."""

import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from resflax.data import prepared
from resflax.data.decode import decode
from resflax.data.records import read
from resflax.data.sources import load_dataset
from resflax.errors import DataError, UsageError


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
  folder = str(tmp_path_factory.mktemp('tfds'))
  load_dataset('digits', folder)
  return folder


def images_and_labels(records):
  examples = read(records, range(len(records)))
  images = np.stack([example['image'] for example in examples])
  return images[..., 0], np.array([example['label'] for example in examples])


def test_digits_are_scikit_learns(data_dir):
  dataset = load_dataset('digits', data_dir)
  info = dataset.info
  assert info.splits == {'train': 1437, 'test': 360}
  assert (info.channels, info.num_classes, info.version) == (1, 10, '1.0.0')
  assert info.class_names == tuple('0123456789')
  train, train_labels = images_and_labels(dataset.split('train'))
  test, test_labels = images_and_labels(dataset.split('test'))
  ours = np.concatenate([train, test]).reshape(1797, 64)
  theirs = np.round(load_digits().data * 255 / 16).astype(np.uint8)
  assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs))
  assert ours.min() == 0 and ours.max() == 255
  shares = np.bincount(train_labels) / np.bincount(test_labels)
  assert np.abs(shares - 1437 / 360).max() < 0.15  # stratified


def test_records_travel_to_other_processes(data_dir):
  records = load_dataset('digits', data_dir).split('train[10%:]')
  copy = pickle.loads(pickle.dumps(records))
  assert len(copy) == len(records) == 1293
  np.testing.assert_array_equal(copy[5]['image'], records[5]['image'])
  assert repr(records) == 'digits train[10%:] (1293 examples)'
  assert records.where(0) == 'example 144 of digits/1.0.0 train'


def test_large_sets_stay_encoded(data_dir, monkeypatch):
  kept = load_dataset('digits', data_dir).split('test')
  monkeypatch.setattr(prepared, 'KEEP_BYTES', 1000)
  encoded = load_dataset('digits', data_dir).split('test')
  assert isinstance(encoded[3]['image'], bytes)
  np.testing.assert_array_equal(
    decode(encoded[3]['image'], 1), kept[3]['image']
  )
  assert [r['label'] for r in read(encoded, [5, 0])] == [
    encoded[5]['label'],
    encoded[0]['label'],
  ]


def test_several_processes_prepare_at_once_without_tensorflow(tmp_path):
  program = f"""
import sys
from resflax.data.sources import load_dataset
dataset = load_dataset('digits', {str(tmp_path)!r})
assert len(dataset.split('train')) == 1437
dataset.split('test')[359]
assert 'tensorflow' not in sys.modules
"""
  started = [
    subprocess.Popen(
      [sys.executable, '-c', program], stderr=subprocess.PIPE, text=True
    )
    for _ in range(3)
  ]
  for process in started:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    said = errors.splitlines()
    assert len(said) <= 1 and all('Preparing digits' in line for line in said)
  assert os.listdir(tmp_path / 'digits') == ['1.0.0']


def test_the_default_folder_is_tfds_own(monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', '/somewhere')
  assert prepared.default_dir() == '/somewhere'
  monkeypatch.delenv('TFDS_DATA_DIR')
  assert prepared.default_dir() == os.path.expanduser('~/tensorflow_datasets')


@pytest.mark.parametrize(
  ('name', 'says'),
  [
    ('digist', "Unknown data set 'digist'. Did you mean 'digits'?"),
    ('cifar_10', "Did you mean 'cifar10'?"),
    ('not a name', "'not a name' is no name of a data set"),
    ('', "'' is no name of a data set"),
    (
      'imagenet2012:5.*.*',
      'python -m scripts.prepare_data --dataset=imagenet2012:5.*.* --data_dir=',
    ),
    ('emnist/balanced', '--dataset=emnist/balanced --data_dir='),
  ],
)
def test_names_that_cannot_be_opened(data_dir, name, says):
  with pytest.raises(UsageError) as error:
    load_dataset(name, data_dir)
  assert says in str(error.value)
  assert '\n' not in str(error.value) and len(str(error.value)) < 300


@pytest.fixture
def edited(data_dir, tmp_path):
  """A function that copies digits under another name and edits a JSON file."""

  def edit(name, file, change):
    folder = tmp_path / name / '1.0.0'
    shutil.copytree(os.path.join(data_dir, 'digits', '1.0.0'), folder)
    for path in folder.glob('digits-*'):
      path.rename(folder / path.name.replace('digits', name))
    facts = json.loads((folder / 'dataset_info.json').read_text())
    facts['name'] = name
    (folder / 'dataset_info.json').write_text(json.dumps(facts))
    content = json.loads((folder / file).read_text())
    change(content)
    (folder / file).write_text(json.dumps(content))
    return str(tmp_path)

  return edit


def test_a_set_that_tfds_has_no_code_for_is_read_from_its_files(edited):
  folder = edited('my_own', 'dataset_info.json', lambda content: None)
  dataset = load_dataset('my_own', folder)
  assert dataset.info.splits == {'train': 1437, 'test': 360}
  assert load_dataset('my_own:1.0.0', folder).info.version == '1.0.0'


def test_near_misses_are_ones_own_sets_too(edited):
  folder = edited('my_photos', 'dataset_info.json', lambda content: None)
  for name in ('my_foto', 'my_photos:2.0.0'):
    with pytest.raises(UsageError, match="mean 'my_photos'") as error:
      load_dataset(name, folder)
    assert folder in str(error.value)


def test_a_broken_description_is_one_line(edited):
  folder = edited('broken', 'dataset_info.json', lambda content: None)
  for path in pathlib.Path(folder).glob('broken/1.0.0/*.json'):
    text = path.read_text()
    path.write_text(text[:50])
    with pytest.raises(DataError, match='description of broken .* cannot') as e:
      load_dataset('broken', folder)
    assert '\n' not in str(e.value)
    path.write_text(text)


def test_a_tfrecord_copy_is_refused(edited):
  def change(content):
    content['fileFormat'] = 'tfrecord'

  folder = edited('old', 'dataset_info.json', change)
  with pytest.raises(UsageError, match='holds tfrecord.*--from_tfrecord='):
    load_dataset('old', folder)


def test_a_set_without_labels_is_refused(edited):
  def change(content):
    content['featuresDict']['features']['other'] = content['featuresDict'][
      'features'
    ].pop('label')
    content['featuresDict']['features']['other']['pythonClassName'] = (
      'tensorflow_datasets.core.features.text_feature.Text'
    )
    content['featuresDict']['features']['other'].pop('classLabel')
    content['featuresDict']['features']['other']['text'] = {}

  folder = edited('text', 'features.json', change)
  with pytest.raises(UsageError, match='not an image classification set'):
    load_dataset('text', folder)
  images = load_dataset('text', folder, labelled=False)
  assert images.info.class_names == ()
  assert images.info.splits == {'train': 1437, 'test': 360}
  example = images.split('train')[3]
  assert example['label'] == -1 and example['image'].startswith(b'\x89PNG')


@pytest.mark.skipif(
  not os.path.isdir(os.path.join(prepared.default_dir(), 'cifar10')),
  reason='cifar10 is not prepared in $TFDS_DATA_DIR',
)
def test_cifar10():
  dataset = load_dataset('cifar10')
  assert dataset.info.splits == {'train': 50_000, 'test': 10_000}
  examples = read(dataset.split('train[:2000]'), range(2000))
  images = np.stack([example['image'] for example in examples])
  assert images.shape == (2000, 32, 32, 3)
  # of all 50,000: 125.3, 122.9, 113.9 (Krizhevsky 2009)
  means = images.mean(axis=(0, 1, 2))
  np.testing.assert_allclose(means, [125.3, 122.9, 113.9], atol=3)
