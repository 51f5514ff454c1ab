"""Folders and archives become data sets that train as the folder does."""

import io
import os
import shutil
import sys
import tarfile
import zipfile

import pytest

from resflax.data import folders, importing
from resflax.data.folders import FileRecords
from resflax.data.importing import import_folder, unpack
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
  monkeypatch.setattr(folders, '_channels', lambda records: 3)
  with pytest.raises(DataError, match=r'Cannot use .*\.png: cannot be read'):
    import_folder(folder, 'mine', str(tmp_path / 'data'))
  assert not os.listdir(tmp_path / 'data')


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


def tar_of(path, *members):
  with tarfile.open(path, 'w') as made:
    for member in members:
      made.addfile(member, io.BytesIO(b'x' * member.size))
  return str(path)


def member(name, kind=tarfile.REGTYPE, link='', size=0):
  info = tarfile.TarInfo(name)
  info.type, info.linkname, info.size = kind, link, size
  return info


@pytest.mark.parametrize(
  'bad',
  [
    member('../out.png'),
    member('a/../../out.png'),
    member('link', tarfile.SYMTYPE, '/etc/passwd'),
    member('link', tarfile.SYMTYPE, '../../out'),
    member('hard', tarfile.LNKTYPE, '../out'),
    member('device', tarfile.CHRTYPE),
    member('pipe', tarfile.FIFOTYPE),
  ],
  ids=lambda info: f'{info.name} {info.linkname}',
)
def test_a_tar_cannot_write_outside(tmp_path, bad):
  inside = tmp_path / 'inside'
  archive = tar_of(tmp_path / 'bad.tar', member('good.png', size=3), bad)
  with pytest.raises(DataError, match='Cannot unpack'):
    unpack(archive, str(inside))
  assert sorted(os.listdir(tmp_path)) in (['bad.tar'], ['bad.tar', 'inside'])


@pytest.mark.parametrize(
  'name', ['../out.png', 'a/../../out.png', '/out.png', 'C:/out', '..\\out']
)
def test_a_zip_cannot_write_outside(tmp_path, name):
  archive = tmp_path / 'bad.zip'
  with zipfile.ZipFile(archive, 'w') as made:
    made.writestr(name, b'x')
  with pytest.raises(DataError, match='reaches outside'):
    unpack(str(archive), str(tmp_path / 'inside'))
  assert os.listdir(tmp_path) == ['bad.zip']


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
  monkeypatch.setattr(importing, 'MAX_TOTAL', 10_000)
  archive = tmp_path / 'bomb.zip'
  with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as made:
    made.writestr('zeros', bytes(20_000))
  with pytest.raises(DataError, match='1 files of 20,000 bytes'):
    unpack(str(archive), str(tmp_path / 'inside'))
  monkeypatch.setattr(importing, 'MAX_TOTAL', 1 << 20)
  monkeypatch.setattr(importing, 'MAX_FILE', 10_000)
  tar = tar_of(tmp_path / 'bomb.tar', member('zeros', size=20_000))
  with pytest.raises(DataError, match='a file of 20,000 bytes'):
    unpack(tar, str(tmp_path / 'inside'))
  monkeypatch.setattr(importing, 'MAX_FILE', 1 << 20)
  monkeypatch.setattr(importing, 'MAX_FILES', 1)
  two = tar_of(tmp_path / 'two.tar', member('a'), member('b'))
  with pytest.raises(DataError, match='2 files'):
    unpack(two, str(tmp_path / 'inside'))
  assert not (tmp_path / 'inside').exists()


def test_a_damaged_archive_is_one_line(tmp_path):
  for name in ('a.zip', 'a.tar.gz'):
    (tmp_path / name).write_bytes(b'nothing of the kind')
    with pytest.raises(DataError, match='Cannot unpack'):
      unpack(str(tmp_path / name), str(tmp_path / 'inside'))


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
