"""What a look through a whole data set finds."""

import os
import pathlib
import shutil

import numpy as np
import pytest

from resflax.data.importing import import_folder
from resflax.data.shard_writing import CHECKSUMS
from resflax.data.sources import ArrayDataset, load_dataset
from resflax.data.verifying import verify


@pytest.fixture
def folder(tmp_path, write_image):
  root = tmp_path / 'photos'
  for split, count in (('train', 4), ('test', 2)):
    for number, name in enumerate(('cat', 'dog')):
      for index in range(count):
        colour = (index, 50 * number, len(split))
        path = root / split / name / f'{index}.png'
        write_image(path, colour, size=(10 + index, 8))
  return root


def test_a_sound_set_is_counted(folder):
  report = verify(load_dataset(f'folder:{folder}'))
  train = report.splits['train']
  assert (train.count, train.bad, train.sides) == (8, [], (8, 13))
  assert train.per_class == {0: 4, 1: 4} and not train.repeated
  assert report.sound and not report.shared and report.changed is None


def test_bad_files_are_named(folder):
  bad = folder / 'train' / 'dog' / '2.png'
  bad.write_bytes(bad.read_bytes()[:-20])
  (folder / 'test' / 'cat' / '0.png').write_bytes(b'<html>')
  report = verify(load_dataset(f'folder:{folder}'))
  [(place, error)] = report.splits['train'].bad
  assert place == str(bad) and error.startswith('PNG is damaged')
  [(place, error)] = report.splits['test'].bad
  assert place.endswith('cat/0.png') and 'not an image' in error
  assert report.splits['train'].per_class == {0: 4, 1: 3}
  assert not report.sound


def test_images_in_two_splits_are_found(folder):
  shutil.copy(folder / 'train/cat/1.png', folder / 'test/dog/copy.png')
  shutil.copy(folder / 'train/cat/1.png', folder / 'train/cat/again.png')
  report = verify(load_dataset(f'folder:{folder}'))
  [shared] = report.shared
  assert {shared.split, shared.other} == {'train', 'test'}
  assert shared.count == 1
  places = {shared.place, shared.other_place}
  assert str(folder / 'test/dog/copy.png') in places
  [repeated] = report.splits['train'].repeated
  ours = {str(folder / f'train/cat/{name}.png') for name in ('1', 'again')}
  assert set(repeated) == ours and places & ours
  assert report.sound  # for its owner to judge


def test_a_changed_file_is_found(folder, tmp_path):
  dataset, _ = import_folder(str(folder), None, str(tmp_path / 'data'))
  assert verify(dataset, dataset.folder).changed == []
  [name] = [n for n in os.listdir(dataset.folder) if 'photos-test' in n]
  path = os.path.join(dataset.folder, name)
  with open(path, 'r+b') as file:
    file.seek(os.path.getsize(path) - 1)
    last = file.read(1)
    file.seek(-1, os.SEEK_END)
    file.write(bytes([last[0] ^ 1]))
  report = verify(dataset, dataset.folder)
  assert report.changed == [name] and not report.sound


def test_arrays_are_looked_through_too():
  images = np.arange(4, dtype=np.uint8)[:, None, None, None]
  images = np.broadcast_to(images, (4, 6, 5, 3)).copy()
  dataset = ArrayDataset({'train': (images, [0, 1, 0, 1])}, class_names='ab')
  report = verify(dataset)
  assert report.splits['train'].sides == (5, 6) and report.sound


def test_missing_files_are_all_named_and_the_rest_is_read(folder, tmp_path):
  dataset, _ = import_folder(str(folder), 'photos', str(tmp_path / 'data'))
  [train] = pathlib.Path(dataset.folder).glob('*train*')
  train.unlink()
  report = verify(load_dataset('photos', str(tmp_path / 'data')))
  assert report.splits['test'].count == 4 and not report.splits['test'].bad
  [(place, error)] = report.splits['train'].bad
  assert place == str(train) and error.startswith('cannot be opened')
  assert not report.sound


@pytest.mark.parametrize('text', ['{"a', '[1]', ''])
def test_broken_checksums_are_a_change(folder, tmp_path, text):
  dataset, _ = import_folder(str(folder), 'photos', str(tmp_path / 'data'))
  (pathlib.Path(dataset.folder) / CHECKSUMS).write_text(text)
  report = verify(dataset, dataset.folder)
  assert report.changed == [CHECKSUMS] and not report.sound


def test_an_examples_place_is_said_once(folder, tmp_path):
  (folder / 'test' / 'cat' / '0.png').write_bytes(b'<html>')
  dataset, _ = import_folder(str(folder), 'photos', str(tmp_path / 'data'))
  [(place, error)] = verify(dataset).splits['test'].bad
  assert place.startswith('example') and 'example' not in error


def test_a_shard_that_is_no_file_is_a_change(folder, tmp_path):
  dataset, _ = import_folder(str(folder), 'photos', str(tmp_path / 'data'))
  [train] = pathlib.Path(dataset.folder).glob('*train*')
  train.unlink()
  train.mkdir()
  report = verify(
    load_dataset('photos', str(tmp_path / 'data')), dataset.folder
  )
  assert report.changed == [train.name]
