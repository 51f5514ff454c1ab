"""What a look through a whole data set finds."""

import os
import shutil

import numpy as np
import pytest

from resflax.data.importing import import_folder
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
  [(split, other, count, place)] = report.shared
  assert {split, other} == {'train', 'test'} and count == 1
  assert place.endswith(('test/dog/copy.png', 'cat/1.png', 'again.png'))
  assert report.splits['train'].repeated == 1
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
