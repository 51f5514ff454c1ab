"""A folder or an archive of class folders, as a TFDS data set."""

import contextlib
import functools
import glob
import os
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator

from resflax.data.folders import FolderDataset
from resflax.data.passes import one_pass
from resflax.data.prepared import (
  NotPreparedError,
  PreparedDataset,
  find_prepared,
)
from resflax.data.records import Records, read
from resflax.data.writing import (
  Encoded,
  Images,
  check_origin,
  target_dir,
  write,
)
from resflax.errors import DataError, UsageError
from resflax.paths import absolute

VERSION = '1.0.0'
ARCHIVES = ('.zip', '.tar', '.tar.gz', '.tgz', '.tar.bz2', '.tar.xz')

# A small archive may unpack to anything.
MAX_FILE = 1 << 30  # bytes
MAX_TOTAL = 1 << 42
MAX_FILES = 50_000_000


def import_folder(
  folder: str, name: str | None = None, data_dir: str | None = None
) -> tuple[PreparedDataset, bool]:
  """Writes class folders, or an archive of them, as a TFDS data set.

  Splits, classes and order are those of `folder:DIR`, so both train alike.

  Args:
    folder: see `FolderDataset`; or an archive that holds such a folder.
    name: of the data set: lower case letters, digits and underscores; None
      takes the folder's.
    data_dir: where TFDS keeps its data; None is TFDS's default.

  Returns:
    The data set, and whether it was there already.

  Raises:
    UsageError: no such folder, what `FolderDataset` refuses, or a name that a
      data set from elsewhere has.
    DataError: a file that cannot be read, or an archive that is damaged, too
      large, or reaches outside.
    StorageError: the data cannot be written.
  """
  data_dir = target_dir(data_dir)
  name = _checked(name) if name else _name_of(folder)
  try:
    there = find_prepared(name, data_dir)
  except NotPreparedError as error:
    raise UsageError(
      f'{name} is the name of a TFDS data set: choose another (--dataset).'
    ) from error
  with _unpacked(folder) as directory:
    dataset = FolderDataset(directory)
    info = dataset.info
    origin = {'folder': absolute(folder), 'version': info.version}
    if there:
      other = 'choose another --dataset, or delete what is there'
      check_origin(there.folder, origin, other)
      return there, True
    write(
      Images(
        name=name,
        version=VERSION,
        description=f'Imported from {os.path.basename(absolute(folder))}.',
        origin=origin,
        class_names=info.class_names,
        channels=info.channels,
        splits={
          split: functools.partial(_examples, dataset.split(split), split)
          for split in info.splits
        },
        data_dir=data_dir,
      )
    )
  return PreparedDataset(name, data_dir), False


def unpack(archive: str, directory: str) -> None:
  """Unpacks a zip or tar file whose members all lie inside.

  Raises:
    DataError: it is damaged, has links or devices, reaches outside, or is
      larger than the limits of this module.
  """
  try:
    if archive.endswith('.zip'):
      with zipfile.ZipFile(archive) as opened:
        _check_sizes(archive, [i.file_size for i in opened.infolist()])
        _check_inside(archive, opened.namelist())
        opened.extractall(directory)
    else:
      with tarfile.open(archive) as opened:
        members = opened.getmembers()
        _check_sizes(archive, [member.size for member in members])
        opened.extractall(directory, members, filter='data')
  except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
    raise DataError(f'Cannot unpack {archive}: {error}') from error


def _examples(records: Records, split: str) -> Iterator[Encoded]:
  def copied(index: int) -> Encoded:
    [example] = read(records, [index])
    source = os.path.relpath(records.where(index), records.root)
    return Encoded(example['image'], example['label'], source)

  return one_pass(copied, len(records), split, chunk=1)


@contextlib.contextmanager
def _unpacked(folder: str) -> Iterator[str]:
  """Yields the folder; of an archive, its contents for as long as needed."""
  if not folder.endswith(ARCHIVES):
    yield absolute(folder)
    return
  if not os.path.isfile(folder):
    raise UsageError(f'No archive {folder!r} (--folder).')
  with tempfile.TemporaryDirectory() as directory:
    unpack(folder, directory)
    # Archives often hold one folder, which holds the rest.
    inside = os.listdir(directory)
    only = os.path.join(directory, inside[0]) if len(inside) == 1 else directory
    yield only if glob.glob('*/', root_dir=only) else directory


def _check_sizes(archive: str, sizes: list[int]) -> None:
  if len(sizes) > MAX_FILES or sum(sizes) > MAX_TOTAL:
    raise DataError(
      f'{archive} would unpack to {len(sizes):,} files of {sum(sizes):,} '
      f'bytes: at most {MAX_FILES:,} of {MAX_TOTAL:,} are unpacked.'
    )
  if sizes and max(sizes) > MAX_FILE:
    raise DataError(
      f'{archive} has a file of {max(sizes):,} bytes: at most {MAX_FILE:,}.'
    )


def _check_inside(archive: str, names: list[str]) -> None:
  for name in names:
    parts = name.replace('\\', '/').split('/')
    if name.startswith(('/', '\\')) or '..' in parts or ':' in parts[0]:
      raise DataError(f'{archive} reaches outside of its folder: {name!r}.')


def _name_of(folder: str) -> str:
  base = os.path.basename(absolute(folder))
  for suffix in sorted(ARCHIVES, key=len, reverse=True):
    base = base.removesuffix(suffix)
  return _checked(re.sub(r'\W+', '_', base.lower()).strip('_'))


def _checked(name: str) -> str:
  if not re.fullmatch(r'[a-z][a-z0-9_]*', name):
    raise UsageError(
      f'{name!r} cannot name a data set: lower case letters, digits and '
      'underscores, a letter first (--dataset).'
    )
  return name
