"""Preparing a set, without TensorFlow as far as that goes."""

import importlib.util
import os

import pytest
import tensorflow_datasets as tfds

from resflax.data import preparing
from resflax.data.builders.digits import Digits
from resflax.data.sources import load_dataset
from resflax.errors import DataError, StorageError, UsageError

FASHION = '/usr/share/datasets/fashion-mnist'  # Debian: dataset-fashion-mnist


@pytest.fixture
def tensorflow(monkeypatch):
  """As if TensorFlow were installed; nothing here gets as far as using it."""
  monkeypatch.setattr(preparing, 'find_spec', lambda name: name)


@pytest.fixture
def stock_digits(monkeypatch, tensorflow):
  """Digits, as if it were one of TFDS's own sets."""
  monkeypatch.setattr(preparing, 'is_bundled', lambda name: False)
  return Digits  # TFDS finds it by its name, once it is imported


def test_a_set_is_prepared_once(tmp_path, stock_digits):
  dataset, was_there = preparing.prepare('digits', str(tmp_path))
  assert not was_there and dataset.info.splits['train'] == 1437
  again, was_there = preparing.prepare('digits', str(tmp_path))
  assert was_there and again.info == dataset.info


def test_tensorflow_is_asked_for_before_anything_is_downloaded(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(preparing, 'find_spec', lambda name: None)
  with pytest.raises(UsageError, match=r"pip install -e '\.\[tf\]'"):
    preparing.prepare('cifar10', str(tmp_path))
  assert not os.listdir(tmp_path)


@pytest.mark.usefixtures('tensorflow')
@pytest.mark.parametrize(
  ('name', 'from_dir', 'says'),
  [
    ('cifr10', None, "Did you mean 'cifar10'"),
    ('cifar10:2.0.0', None, 'only: 3.0.2'),
    ('imagenet2012', None, 'fetched by hand.*ILSVRC2012_img_train.tar.*DIR'),
    ('imagenet2012', '/none', "No folder '/none'"),
    ('cifar10', '/', '--from_dir cannot be used for cifar10'),
    ('emnist/balanced', '/', '--from_dir cannot be used for emnist'),
    ('imdb_reviews', None, 'not an image classification set'),
  ],
)
def test_what_cannot_be_prepared(tmp_path, name, from_dir, says):
  with pytest.raises(UsageError, match=says) as error:
    preparing.prepare(name, str(tmp_path), from_dir)
  assert '\n' not in str(error.value)


@pytest.mark.usefixtures('tensorflow')
def test_originals_are_read_from_a_folder(tmp_path, monkeypatch):
  fashion = tfds.image_classification.FashionMNIST
  monkeypatch.setattr(fashion, 'URL', fashion.URL)  # put back afterwards
  seen = []

  def no_download(self, **settings):
    seen.append((self.URL, settings['download_config'].manual_dir))
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(fashion, 'download_and_prepare', no_download)
  with pytest.raises(StorageError, match='in .*No space left'):
    preparing.prepare('fashion_mnist', str(tmp_path), str(tmp_path))
  assert seen == [(f'{tmp_path}/', None)]


@pytest.mark.usefixtures('tensorflow')
def test_a_failed_download_is_no_bug(tmp_path, monkeypatch):
  def no_download(self, **_):
    raise tfds.download.DownloadError('404\nfor a file')

  builder = tfds.image_classification.Cifar10
  monkeypatch.setattr(builder, 'download_and_prepare', no_download)
  with pytest.raises(DataError, match='404 for a file'):
    preparing.prepare('cifar10', str(tmp_path))


@pytest.mark.usefixtures('tensorflow')
def test_a_full_disk_is_no_bug_whoever_says_so(tmp_path, monkeypatch):
  def no_space(self, **_):
    raise RuntimeError('write() failed: No space left on device; writing x')

  builder = tfds.image_classification.Cifar10
  monkeypatch.setattr(builder, 'download_and_prepare', no_space)
  with pytest.raises(StorageError, match='No space left on device'):
    preparing.prepare('cifar10', str(tmp_path))


def test_a_damaged_original_is_no_bug(tmp_path, monkeypatch, tensorflow):
  def no_extract(self, **_):
    raise preparing.ExtractError('Error while extracting a.gz')

  builder = tfds.image_classification.Cifar10
  monkeypatch.setattr(builder, 'download_and_prepare', no_extract)
  with pytest.raises(DataError, match='a.gz: delete .*/downloads'):
    preparing.prepare('cifar10', str(tmp_path))


def test_a_target_that_is_no_folder(tmp_path):
  (tmp_path / 'file').touch()
  for open_it in (preparing.prepare, load_dataset):
    with pytest.raises(StorageError, match='file: .*Not a directory'):
      open_it('digits', str(tmp_path / 'file'))


def test_a_bucket_is_no_target():
  with pytest.raises(UsageError, match='local folder.*gcloud storage cp'):
    preparing.prepare('digits', 'gs://bucket/data')


@pytest.mark.slow
@pytest.mark.skipif(
  not (importlib.util.find_spec('tensorflow') and os.path.isdir(FASHION)),
  reason='needs TensorFlow and the Debian package dataset-fashion-mnist',
)
def test_fashion_mnist(tmp_path, monkeypatch):
  fashion = tfds.image_classification.FashionMNIST
  monkeypatch.setattr(fashion, 'URL', fashion.URL)
  dataset, _ = preparing.prepare('fashion_mnist', str(tmp_path), FASHION)
  assert dataset.info.splits == {'train': 60_000, 'test': 10_000}
  assert dataset.split('test')[0]['image'].shape == (28, 28, 1)


def test_nothing_but_the_set_is_left(tmp_path, monkeypatch):
  preparing.prepare('digits', str(tmp_path / 'good'))
  assert os.listdir(tmp_path / 'good') == ['digits']

  def no_space(self, **_):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(Digits, 'download_and_prepare', no_space)
  with pytest.raises(StorageError, match='No space left on device'):
    preparing.prepare('digits', str(tmp_path / 'full/data'))
  assert os.listdir(tmp_path) == ['good']


@pytest.mark.parametrize('there', [False, True])
def test_originals_that_are_not_used_are_refused(tmp_path, there):
  if there:
    preparing.prepare('digits', str(tmp_path))
  with pytest.raises(UsageError, match='digits has no original files: leave'):
    preparing.prepare('digits', str(tmp_path), str(tmp_path))
  with pytest.raises(UsageError, match="No folder '/none'"):
    preparing.prepare('cifar10', str(tmp_path), '/none')


def test_a_bundled_set_may_be_named_with_its_version(tmp_path):
  dataset, was_there = preparing.prepare('digits:1.0.0', str(tmp_path))
  assert not was_there and dataset.info.version == '1.0.0'
  assert load_dataset('digits', str(tmp_path)).info.splits == {
    'train': 1437,
    'test': 360,
  }
