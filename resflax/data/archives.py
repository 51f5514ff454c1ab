"""Unpacking zip and tar files that strangers made."""

import contextlib
import errno
import operator
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from resflax.data.passes import tracked
from resflax.errors import DataError, ResflaxError, StorageError, UsageError
from resflax.paths import absolute, printable

T = TypeVar('T')

ARCHIVES = (
  *('.zip', '.tar', '.tar.gz', '.tgz'),
  *('.tar.bz2', '.tbz2', '.tar.xz', '.txz'),
)

# A small archive may unpack to anything.
MAX_FILE = 1 << 30  # bytes
MAX_TOTAL = 1 << 42
MAX_FILES = 50_000_000

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def unpacked(folder: str) -> Iterator[str]:
  """Yields the folder; of an archive, its contents for as long as needed.

  Content decides, not the name: a folder may be called x.zip.

  Raises:
    UsageError: neither a folder nor a file.
    DataError, StorageError: see `unpack`.
  """
  path = absolute(folder)
  if os.path.isdir(path):
    yield path
    return
  if not os.path.isfile(path):
    raise UsageError(f'No folder or archive {folder!r} (--folder).')
  try:
    made = tempfile.TemporaryDirectory(prefix='resflax-')
  except OSError as error:
    raise StorageError(
      f'Cannot make a temporary folder: {error}. Set TMPDIR to a folder that '
      'can be written.'
    ) from error
  with made as directory:
    directory = os.path.realpath(directory)  # as tarfile's messages have it
    unpack(folder, directory)
    yield directory


def unpack(archive: str, directory: str) -> None:
  """Unpacks a zip or tar file whose members all lie inside.

  Raises:
    DataError: it is something else or damaged, has devices, reaches outside,
      or is larger than the limits of this module.
    StorageError: the folder is full.
  """
  try:
    with _open(archive) as opened:
      if isinstance(opened, zipfile.ZipFile):
        _unpack_zip(archive, opened, directory)
      else:
        _unpack_tar(archive, opened, directory)
  except ResflaxError:
    raise
  except Exception as error:  # of any kind: zlib, lzma and struct have theirs
    if isinstance(error, OSError) and error.errno in _FULL:
      raise StorageError(
        f'Cannot unpack {archive!r}: {error.strerror} in '
        f'{tempfile.gettempdir()!r}. Set TMPDIR to a folder with more space.'
      ) from error
    says = str(error).replace(directory + os.sep, '') or type(error).__name__
    raise DataError(
      f'Cannot unpack {archive!r}: {printable(" ".join(says.split()))}.'
    ) from error


class _Member(tarfile.TarInfo):
  """A member whose header is sound: tarfile takes another for the end."""

  @classmethod
  def frombuf(cls, buf, encoding, errors):
    try:
      return super().frombuf(buf, encoding, errors)
    except tarfile.HeaderError as error:
      if buf == tarfile.NUL * tarfile.BLOCKSIZE:  # the end
        raise
      raise tarfile.ReadError(f'damaged or cut off ({error})') from error


def _open(archive: str) -> tarfile.TarFile | zipfile.ZipFile:
  path = absolute(archive)
  with contextlib.suppress(tarfile.ReadError):
    return tarfile.open(path, tarinfo=_Member)
  if zipfile.is_zipfile(path):
    return zipfile.ZipFile(path)
  raise DataError(
    f'Cannot unpack {archive!r}: it is damaged or of another kind than '
    f'{", ".join(ARCHIVES)} (--folder).'
  )


def _unpack_zip(archive: str, opened: zipfile.ZipFile, directory: str) -> None:
  members = opened.infolist()
  for member in _limited(archive, members, operator.attrgetter('file_size')):
    _check_inside(archive, member)
  for member in tracked(members, 'unpack'):
    opened.extract(member, directory)


def _unpack_tar(archive: str, opened: tarfile.TarFile, directory: str) -> None:
  members = _limited(archive, opened, operator.attrgetter('size'))
  for member in tracked(members, 'unpack'):
    opened.extract(member, directory, filter='data')
  while opened.fileobj.read(1 << 20):  # a checksum comes at the end
    pass


def _limited(
  archive: str, members: Iterable[T], size_of: Callable[[T], int]
) -> Iterator[T]:
  """Yields the members until they are more than the limits allow."""
  total = 0
  for count, member in enumerate(members, 1):
    size = size_of(member)
    total += size
    if size > MAX_FILE:
      raise DataError(
        f'{archive!r} has a file of {size:,} bytes: at most {MAX_FILE:,}.'
      )
    if count > MAX_FILES or total > MAX_TOTAL:
      raise DataError(
        f'{archive!r} would unpack to over {MAX_FILES:,} files or '
        f'{MAX_TOTAL:,} bytes.'
      )
    yield member


def _check_inside(archive: str, member: zipfile.ZipInfo) -> None:
  name = member.filename
  parts = name.replace('\\', '/').split('/')
  if name.startswith(('/', '\\')) or '..' in parts or ':' in parts[0]:
    raise DataError(f'{archive!r} reaches outside of its folder: {name!r}.')
  if stat.S_ISLNK(member.external_attr >> 16):  # would become a file
    raise DataError(f'{archive!r} has a link: {name!r}.')
