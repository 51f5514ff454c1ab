"""A folder or an archive of class folders, as a TFDS data set."""

import functools
import os
import re
from collections.abc import Iterator

from resflax.data.archives import ARCHIVES, unpacked
from resflax.data.describing import check_origin
from resflax.data.folders import FolderDataset
from resflax.data.local import target_dir
from resflax.data.passes import one_pass
from resflax.data.prepared import (
  NotPreparedError,
  PreparedDataset,
  find_prepared,
)
from resflax.data.records import Records, read
from resflax.data.writing import Encoded, Images, write
from resflax.errors import UsageError
from resflax.paths import absolute

VERSION = '1.0.0'


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
  name = checked_name(name) if name else _name_of(folder)
  try:
    there = find_prepared(name, data_dir)
  except NotPreparedError as error:
    raise UsageError(
      f'{name} is the name of a TFDS data set: choose another (--dataset).'
    ) from error
  with unpacked(folder) as directory:
    dataset = FolderDataset(directory, folder, '--folder')
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


def _examples(records: Records, split: str) -> Iterator[Encoded]:
  def copied(index: int) -> Encoded:
    [example] = read(records, [index])
    source = os.path.relpath(records.where(index), records.root)
    return Encoded(example['image'], example['label'], source)

  return one_pass(copied, len(records), split, chunk=1)


def _name_of(folder: str) -> str:
  base = os.path.basename(absolute(folder)).lower()
  for suffix in sorted(ARCHIVES, key=len, reverse=True):
    base = base.removesuffix(suffix)
  return checked_name(re.sub(r'\W+', '_', base).strip('_'))


def checked_name(name: str, flag: str = '--dataset') -> str:
  """Returns a name of a data set, or refuses it.

  Raises:
    UsageError: it cannot be one.
  """
  if not re.fullmatch(r'[a-z][a-z0-9_]*', name):
    raise UsageError(
      f'{name!r} cannot name a data set: lower case letters, digits and '
      f'underscores, a letter first ({flag}).'
    )
  return name
