"""Folders of class folders: layouts, order, and what is refused."""

import pickle

import pytest

from resflax.data.decode import decode
from resflax.data.folders import FolderDataset
from resflax.data.records import read
from resflax.data.sources import load_dataset
from resflax.errors import DataError, UsageError

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
  write_image(folder / 'x' / '0.png')
  dataset = load_dataset(f'folder:{folder}')
  assert dataset.info.name == f'folder:{folder}'
  assert len(dataset.split('train')) == 1


def test_grey_folders_have_one_channel(tmp_path, write_image):
  for i in range(3):
    write_image(tmp_path / 'x' / f'{i}.png', colour=GREY)
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


def test_wrong_folders_are_refused(tmp_path, split_folder, write_image):
  def refused(folder, says):
    with pytest.raises(UsageError, match=says) as error:
      load_dataset(f'folder:{folder}')
    assert '\n' not in str(error.value)

  refused(tmp_path / 'none', 'No folder')
  (tmp_path / 'empty').mkdir()
  refused(tmp_path / 'empty', 'no class folders')
  (tmp_path / 'hollow' / 'cat').mkdir(parents=True)
  refused(tmp_path / 'hollow', 'has no images')
  write_image(split_folder / 'val' / 'bird' / '0.png')
  refused(split_folder, "class that train does not have: 'bird'")
  write_image(split_folder / 'valid' / 'cat' / '0.png')
  refused(split_folder, "two folders for the split 'validation'")
