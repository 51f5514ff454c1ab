"""A folder of images without classes, as they are to be labelled."""

import os

from resflax.data.folders import (
  FileRecords,
  FolderDataset,
  by_hash,
  channels_of,
  fingerprint,
)
from resflax.data.layouts import SPLITS, SUFFIXES, Place, find_images
from resflax.data.records import Dataset, DatasetInfo, Records
from resflax.data.splits import take
from resflax.errors import UsageError
from resflax.paths import absolute


def load_folder(directory: str) -> Dataset:
  """Returns class folders as such, and another folder as images alone.

  Raises:
    UsageError: no folder, no images, or split folders that are not laid out
      as such: what may be a test split is not taken for anything else.
    DataError: something in it that cannot be read.
  """
  flag = '--dataset'
  top = Place(absolute(directory), directory, flag)
  if not os.path.isdir(top.path):
    raise UsageError(f'No folder {directory!r} ({flag}).')
  try:
    return FolderDataset(directory, flag=flag)
  except UsageError:
    if any(folder.lower() in SPLITS for folder in top.entries()[0]):
      raise
  return ImageFolder(top)


class ImageFolder:
  """All images of a folder, at any depth, as one split: `train`.

  Their order is that of the SHA-256 of their paths, as in `FolderDataset`.

  Raises:
    UsageError: there are none.
    DataError: something that cannot be read.
  """

  def __init__(self, top: Place):
    folders, images = top.entries()
    found = [*images.items()]
    for folder in folders:
      found += find_images(top, folder)
    if not found:
      raise UsageError(
        f'{top.called!r} has no images ({", ".join(SUFFIXES)}) ({top.flag}).'
      )
    scan = by_hash((path, -1, size) for path, size in found)
    paths = [path for path, _, _ in scan]
    self._records = FileRecords(top.path, paths, [-1] * len(paths), top.called)
    self.info = DatasetInfo(
      name=f'folder:{top.path}',
      version=fingerprint({'train': scan}),
      class_names=(),
      channels=channels_of(self._records),
      splits={'train': len(paths)},
    )

  def split(self, spec: str) -> Records:
    """Returns the images that a spec asks for."""
    return take(spec, self.info, self._records)
