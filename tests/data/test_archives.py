"""Archives of strangers: what is unpacked, and what is refused."""

import errno
import io
import os
import pathlib
import shutil
import tarfile
import tempfile
import zipfile

import pytest

from resflax.data import archives
from resflax.data.archives import unpack, unpacked
from resflax.data.importing import import_folder
from resflax.errors import DataError, StorageError, UsageError

NOISE = bytes(range(256)) * 200


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
  monkeypatch.setattr(archives, 'MAX_TOTAL', 10_000)
  archive = tmp_path / 'bomb.zip'
  with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as made:
    made.writestr('zeros', bytes(20_000))
  with pytest.raises(DataError, match='over 50,000,000 files or 10,000 b'):
    unpack(str(archive), str(tmp_path / 'inside'))
  monkeypatch.setattr(archives, 'MAX_TOTAL', 1 << 20)
  monkeypatch.setattr(archives, 'MAX_FILE', 10_000)
  tar = tar_of(tmp_path / 'bomb.tar', member('zeros', size=20_000))
  with pytest.raises(DataError, match='a file of 20,000 bytes'):
    unpack(tar, str(tmp_path / 'inside'))
  assert not (tmp_path / 'inside').exists()
  monkeypatch.setattr(archives, 'MAX_FILE', 1 << 20)
  monkeypatch.setattr(archives, 'MAX_FILES', 1)
  two = tar_of(tmp_path / 'two.tar', member('a'), member('b'))
  with pytest.raises(DataError, match='over 1 files'):
    unpack(two, str(tmp_path / 'inside'))


def made(path, kind):
  """An archive of one file, of the kind that a suffix names."""
  if kind == 'zip':
    with zipfile.ZipFile(path, 'w') as archive:
      archive.writestr('photos/noise', NOISE)
  else:
    with tarfile.open(path, f'w:{kind}') as archive:
      archive.addfile(
        member('photos/noise', size=len(NOISE)), io.BytesIO(NOISE)
      )
  return path


def refused(archive, directory, kind=DataError):
  with pytest.raises(kind) as error:
    unpack(str(archive), str(directory))
  says = str(error.value)
  assert '\n' not in says and repr(str(archive)) in says
  assert f'{directory}/' not in says
  return says


KINDS = ('zip', '', 'gz', 'bz2', 'xz')


@pytest.mark.parametrize('kind', KINDS)
def test_content_decides_what_an_archive_is(tmp_path, kind):
  made(tmp_path / 'PHOTOS.Any', kind)
  with unpacked(str(tmp_path / 'PHOTOS.Any')) as directory:
    assert pathlib.Path(directory, 'photos/noise').read_bytes() == NOISE
  assert not os.path.exists(directory)
  os.mkdir(tmp_path / 'x.zip')
  with unpacked(str(tmp_path / 'x.zip')) as directory:
    assert directory == str(tmp_path / 'x.zip')


def test_the_home_folder_is_found(tmp_path, monkeypatch):
  monkeypatch.setenv('HOME', str(tmp_path))
  made(tmp_path / 'a.zip', 'zip')
  with unpacked('~/a.zip') as directory:
    assert os.listdir(directory) == ['photos']


def test_another_kind_of_file_is_told_the_kinds(tmp_path):
  for name in ('a.7z', 'a.rar', 'a.zip', 'a.tar.gz'):
    (tmp_path / name).write_bytes(b'nothing of the kind')
    assert '.zip, .tar, .tar.gz' in refused(tmp_path / name, tmp_path / 'in')
  os.mkfifo(tmp_path / 'pipe')
  for name in ('pipe', 'none.zip'):
    says = pytest.raises(UsageError, match=f'No folder or archive .*{name}')
    with says, unpacked(str(tmp_path / name)):
      pass


@pytest.mark.parametrize('kind', KINDS)
def test_a_damaged_byte_or_end_is_noticed(tmp_path, kind):
  """Wherever it is, where the kind has a checksum."""
  whole = made(tmp_path / 'whole', kind).read_bytes()
  # What follows a tar's end mark is padding.
  size = 512 + len(NOISE) + 512 if kind == '' else len(whole)
  for end in (*range(0, size, 256), size - 1):
    (tmp_path / 'cut').write_bytes(whole[:end])
    refused(tmp_path / 'cut', tmp_path / 'in')
  headers = range(0, 512, 7) if kind == '' else range(10, len(whole), 97)
  for place in headers:
    flipped = bytes([whole[place] ^ 16])
    damaged = whole[:place] + flipped + whole[place + 1 :]
    (tmp_path / 'damaged').write_bytes(damaged)
    try:
      unpack(str(tmp_path / 'damaged'), str(tmp_path / 'in'))
    except DataError as error:
      assert '\n' not in str(error)
    else:  # a time or the like
      assert (tmp_path / 'in/photos/noise').read_bytes() == NOISE
    shutil.rmtree(tmp_path / 'in', ignore_errors=True)


def test_a_checksum_at_the_end_is_looked_at(tmp_path):
  whole = made(tmp_path / 'a.tar.gz', 'gz').read_bytes()
  (tmp_path / 'a.tar.gz').write_bytes(whole[:-8] + bytes(4) + whole[-4:])
  assert 'CRC' in refused(tmp_path / 'a.tar.gz', tmp_path / 'in')


def test_a_damaged_header_is_not_the_end(tmp_path):
  archive = tmp_path / 'a.tar'
  tar_of(archive, member('one', size=3), member('two', size=3))
  content = bytearray(archive.read_bytes())
  content[1024] ^= 1
  archive.write_bytes(content)
  assert 'damaged or cut off' in refused(archive, tmp_path / 'in')


def test_what_zipfile_cannot_unpack_is_one_line(tmp_path):
  archive = made(tmp_path / 'a.zip', 'zip')
  content = archive.read_bytes()
  central = content.index(b'PK\x01\x02')
  for place, value, says in ((8, 1, 'encrypted'), (10, 97, 'compression')):
    changed = bytearray(content)
    changed[central + place] = value
    changed[place - 2] = value  # the local header is two bytes shorter
    archive.write_bytes(changed)
    assert says in refused(archive, tmp_path / 'in')
  with zipfile.ZipFile(archive, 'w') as link:
    info = zipfile.ZipInfo('link')
    info.external_attr = 0o120777 << 16
    link.writestr(info, '/etc/passwd')
  assert "has a link: 'link'" in refused(archive, tmp_path / 'in')


@pytest.mark.parametrize('kind', ['zip', 'gz'])
def test_a_full_temporary_folder_is_storage(tmp_path, monkeypatch, kind):
  def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  archive = made(tmp_path / 'a', kind)
  monkeypatch.setattr(shutil, 'copyfileobj', full)
  monkeypatch.setattr(tarfile, 'copyfileobj', full)
  says = refused(archive, tmp_path / 'in', StorageError)
  assert repr(tempfile.gettempdir()) in says and 'TMPDIR' in says


def test_no_temporary_folder_is_storage(tmp_path, monkeypatch):
  made(tmp_path / 'a.zip', 'zip')
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'none'))
  says = pytest.raises(StorageError, match='Set TMPDIR')
  with says, unpacked(str(tmp_path / 'a.zip')):
    pass


def test_an_import_of_a_mac_names_its_archive(tmp_path, write_image):
  write_image(tmp_path / 'a.png')
  image = (tmp_path / 'a.png').read_bytes()
  archive = str(tmp_path / 'Pets.ZIP')
  data_dir = str(tmp_path / 'data')
  with zipfile.ZipFile(archive, 'w') as mac:
    for name in ('cat/1.png', 'cat/2.png', '.DS_Store'):
      mac.writestr(f'Pets/{name}', image)
      mac.writestr(f'__MACOSX/Pets/._{name}', b'x')
  with pytest.raises(UsageError) as error:
    import_folder(archive, None, data_dir)
  only = f'{archive}/Pets/cat'
  assert str(error.value).startswith(f'{only!r} is the only class folder')
  assert str(error.value).endswith('(--folder).')
  with zipfile.ZipFile(archive, 'a') as mac:
    mac.writestr('Pets/dog/1.png', image)
  dataset, _ = import_folder(archive, None, data_dir)
  assert dataset.info.name == 'pets' and dataset.info.splits == {'train': 3}
