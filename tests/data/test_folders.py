"""Folders of class folders: their order, names and records."""

import errno
import os
import pickle

import pytest

from resflax.data.decode import decode
from resflax.data.folders import FolderDataset
from resflax.data.records import read
from resflax.data.sources import load_dataset
from resflax.errors import DataError

GREY = (90,)


@pytest.fixture
def split_folder(tmp_path, write_image):
  for split, count in (('train', 6), ('val', 3), ('test', 2)):
    for name in ('cat', 'dog'):
      for i in range(count):
        write_image(tmp_path / split / name / f'{i}.png')
  return tmp_path


def test_split_folders(split_folder):
  dataset = load_dataset(f'folder:{split_folder}')
  assert dataset.info.class_names == ('cat', 'dog')
  assert dataset.info.splits == {'test': 4, 'train': 12, 'validation': 6}
  assert dataset.info.channels == 3 and dataset.info.num_classes == 2
  records = dataset.split('train')
  assert sum(records[i]['label'] for i in range(12)) == 6
  pixels = decode(records[0]['image'], 3)
  assert pixels.shape == (12, 10, 3) and tuple(pixels[0, 0]) == (10, 120, 200)
  assert pickle.loads(pickle.dumps(records))[3] == records[3]


def test_one_level_is_all_train_and_its_order_is_mixed(tmp_path, write_image):
  for i in range(40):
    write_image(tmp_path / 'b' / f'{i}.jpg')
    write_image(tmp_path / 'a' / 'deeper' / f'{i}.PNG')
  dataset = FolderDataset(str(tmp_path))
  assert dataset.info.splits == {'train': 80}
  assert dataset.info.class_names == ('a', 'b')
  half = dataset.split('train[:50%]')
  labels = [half[i]['label'] for i in range(40)]
  assert 12 < sum(labels) < 28


def test_the_order_is_that_of_the_hashed_names(tmp_path, write_image):
  """Independent of the machine; a new file moves none of the others."""
  for name in ('a/1.png', 'a/2.png', 'b/1.png', 'b/2.png'):
    write_image(tmp_path / name)
  before = FolderDataset(str(tmp_path))
  # printf a/2.png | sha256sum and so on: 42..., 86..., b2..., c7...
  want = ['a/2.png', 'a/1.png', 'b/2.png', 'b/1.png']
  assert before.split('train').paths == want
  write_image(tmp_path / 'b/3.png')
  after = FolderDataset(str(tmp_path))
  assert [p for p in after.split('train').paths if p != 'b/3.png'] == want
  assert before.info.version != after.info.version
  assert after.info.version == FolderDataset(str(tmp_path)).info.version


def test_paths_with_commas_and_equal_signs(tmp_path, write_image):
  folder = tmp_path / 'a=1,b=2'
  for name in ('x', 'y'):
    write_image(folder / name / '0.png')
  dataset = load_dataset(f'folder:{folder}')
  assert dataset.info.name == f'folder:{folder}'
  assert len(dataset.split('train')) == 2


def test_grey_folders_have_one_channel(tmp_path, write_image):
  for i in range(3):
    for name in ('x', 'y'):
      write_image(tmp_path / name / f'{i}.png', colour=GREY)
  assert FolderDataset(str(tmp_path)).info.channels == 1
  write_image(tmp_path / 'x' / '3.png')
  assert FolderDataset(str(tmp_path)).info.channels == 3


def test_what_is_no_image_is_left_out(split_folder):
  (split_folder / 'train' / 'cat' / 'notes.txt').write_text('x')
  (split_folder / 'train' / 'cat' / '._0.png').write_text('x')
  (split_folder / 'train' / '.cache').mkdir()
  assert FolderDataset(str(split_folder)).info.splits['train'] == 12


def test_a_damaged_file_does_not_hinder_opening(split_folder):
  for path in (split_folder / 'train' / 'cat').iterdir():
    path.write_bytes(b'')
  dataset = FolderDataset(str(split_folder))
  assert dataset.info.channels == 3 and dataset.info.splits['train'] == 12


def test_a_lost_file_is_named(split_folder):
  records = FolderDataset(str(split_folder)).split('train[2:]')
  path = records.where(3)
  assert path.startswith(str(split_folder)) and path.endswith('.png')
  (split_folder / path).unlink()
  with pytest.raises(DataError, match=path):
    read(records, [0, 3])


def test_the_version_tells_of_changes(tmp_path, write_image):
  def version():
    return FolderDataset(str(tmp_path)).info.version

  for name in ('a/1.png', 'b/1.png'):
    write_image(tmp_path / name)
  seen = [version()]
  write_image(tmp_path / 'a/1.png', size=(30, 30))
  seen.append(version())
  (tmp_path / 'b').rename(tmp_path / 'c')
  seen.append(version())
  write_image(tmp_path / 'd/1.png')
  seen.append(version())
  assert len(set(seen)) == 4


def test_names_that_are_not_utf_8_or_of_many_lines(tmp_path, write_image):
  for name in ('a/1.png', 'b/1.png'):
    write_image(tmp_path / name)
  image = (tmp_path / 'a/1.png').read_bytes()
  for name in (b'\xff\n.png', b'\xe9/1.png'):
    path = os.path.join(os.fsencode(tmp_path), b'a', name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
      file.write(image)
  records = FolderDataset(str(tmp_path)).split('train')
  places = {os.path.relpath(records.where(i), tmp_path) for i in range(4)}
  assert places == {
    *('a/1.png', 'b/1.png'),
    *(r'a/\udcff\n.png', r'a/\udce9/1.png'),
  }
  assert [e['image'] for e in read(records, range(4))] == [image] * 4


def test_a_picture_that_may_not_be_read(split_folder, monkeypatch):
  """Opening does not need it; reading names it."""

  def denied(*args):
    raise PermissionError(errno.EACCES, 'Permission denied')

  monkeypatch.setattr('builtins.open', denied)
  records = FolderDataset(str(split_folder), 'a.zip').split('train')
  with pytest.raises(DataError, match=r'Cannot use a.zip/train/.*: .* denied'):
    read(records, [0])
