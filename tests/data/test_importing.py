"""Folders and archives become data sets that train as the folder does."""

import os
import shutil
import sys
import tarfile
import zipfile

import pytest

from resflax.data import folders
from resflax.data.folders import FileRecords
from resflax.data.importing import import_folder
from resflax.data.sources import load_dataset
from resflax.errors import DataError, StorageError, UsageError


@pytest.fixture
def folder(tmp_path, write_image):
  root = tmp_path / 'My-Photos'
  for split, count in (('train', 5), ('test', 2)):
    for name in ('cat', 'dog'):
      for index in range(count):
        path = root / split / name / f'{index}.png'
        write_image(path, (index, len(name) * 10, 7), size=(9 + index, 8))
  return str(root)


def examples(dataset, split):
  records = dataset.split(split)
  return [
    (records[i]['image'], records[i]['label']) for i in range(len(records))
  ]


def test_an_import_is_the_folder_in_the_same_order(folder, tmp_path):
  imported, was_there = import_folder(folder, None, str(tmp_path / 'data'))
  assert not was_there and imported.info.name == 'my_photos'
  again = load_dataset('my_photos', str(tmp_path / 'data'))
  original = load_dataset(f'folder:{folder}')
  assert again.info.class_names == original.info.class_names == ('cat', 'dog')
  for split in ('train', 'test'):
    assert examples(again, split) == examples(original, split)
  assert import_folder(folder, None, str(tmp_path / 'data'))[1]
  assert 'tensorflow' not in sys.modules


def test_a_name_that_has_other_pictures_is_refused(
  folder, tmp_path, write_image
):
  data_dir = str(tmp_path / 'data')
  imported, _ = import_folder(folder, 'mine', data_dir)
  with pytest.raises(UsageError, match='No folder'):
    import_folder(folder + '2', 'mine', data_dir)
  write_image(tmp_path / 'My-Photos/train/cat/new.png', (9, 9, 9))
  with pytest.raises(UsageError, match='choose another --dataset, or delete'):
    import_folder(folder, 'mine', data_dir)
  shutil.rmtree(imported.folder)
  again, was_there = import_folder(folder, 'mine', data_dir)
  assert not was_there and again.info.version != imported.info.version
  assert again.info.splits['train'] == imported.info.splits['train'] + 1


def test_a_folder_that_cannot_be_written_is_one_line(folder, tmp_path):
  for blocked in ('data', 'data/mine'):
    (tmp_path / blocked).touch()
    with pytest.raises(StorageError, match='Not a directory'):
      import_folder(folder, 'mine', str(tmp_path / 'data'))
    (tmp_path / blocked).unlink()
    (tmp_path / 'data').mkdir(exist_ok=True)
  with pytest.raises(UsageError, match='written to a local folder'):
    import_folder(folder, 'mine', 'gs://bucket/data')


def test_a_file_that_cannot_be_read_is_named(folder, tmp_path, monkeypatch):
  def fail(self, index):
    raise PermissionError(13, 'Permission denied')

  monkeypatch.setattr(FileRecords, '__getitem__', fail)
  monkeypatch.setattr(folders, 'channels_of', lambda records: 3)
  with pytest.raises(DataError, match=r'Cannot use .*\.png: cannot be read'):
    import_folder(folder, 'mine', str(tmp_path / 'data'))
  assert not os.path.exists(tmp_path / 'data')


@pytest.mark.parametrize('suffix', ['.zip', '.tar.gz', '.tar'])
def test_an_archive_is_imported_as_its_folder(folder, tmp_path, suffix):
  archive = str(tmp_path / f'photos{suffix}')
  if suffix == '.zip':
    with zipfile.ZipFile(archive, 'w') as made:
      for root, _, names in os.walk(folder):
        for name in names:
          path = os.path.join(root, name)
          made.write(path, os.path.relpath(path, os.path.dirname(folder)))
  else:
    with tarfile.open(
      archive, 'w:gz' if suffix.endswith('gz') else 'w'
    ) as made:
      made.add(folder, 'My-Photos')
  imported, _ = import_folder(archive, 'other', str(tmp_path / 'data'))
  original = load_dataset(f'folder:{folder}')
  assert examples(imported, 'train') == examples(original, 'train')


@pytest.mark.parametrize(
  ('name', 'says'),
  [
    ('cifar10', 'the name of a TFDS data set'),
    ('My Photos', 'lower case letters'),
    ('../x', 'lower case letters'),
  ],
)
def test_names_are_checked_first(folder, tmp_path, name, says):
  with pytest.raises(UsageError, match=says):
    import_folder(folder, name, str(tmp_path / 'data'))
  assert not (tmp_path / 'data').exists()
