"""A folder of class folders, as people bring their own images."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from resflax.data.headers import read_header
from resflax.data.layouts import (
  SUFFIXES,
  Place,
  find_classes,
  find_images,
  find_splits,
)
from resflax.data.records import DatasetInfo, Records, read_each
from resflax.data.splits import parse_split, take
from resflax.errors import DataError, UsageError
from resflax.paths import absolute, printable

_LOOK_AT = 16  # images, to tell grey data sets from coloured ones


class FolderDataset:
  """`DIR/train/CLASS/*` with validation and test beside it, or `DIR/CLASS/*`.

  Without split folders everything is one split, `train`. The order of a split
  is that of the SHA-256 of each file's path below its split folder: the same
  on every machine, mixed over the classes (so `train[:80%]` is a sample), and
  a new file moves none of the others. Files whose names do not end like an
  image's, or begin with a dot, are left out.

  Args:
    directory: the folder; commas and equal signs in its path are fine.
    called: its name in messages; None is `directory`.
    flag: or field, that names it.

  Raises:
    UsageError: no such folder, fewer than two class folders, a class without
      images or that train does not have, or what `layouts` refuses.
    DataError: something in it that cannot be read.
  """

  def __init__(
    self,
    directory: str,
    called: str | None = None,
    flag: str = 'config.data.name',
  ):
    top = Place(absolute(directory), called or directory, flag)
    _check_folder(top)
    splits = find_splits(top)
    class_names = find_classes(splits['train'])
    if len(class_names) < 2:
      only = splits['train'] / class_names[0]
      raise only.refused('is the only class folder: a classifier needs two')
    scans = {name: _scan(at, class_names) for name, at in splits.items()}
    self._records = {
      name: FileRecords(
        at.path,
        [path for path, _, _ in scans[name]],
        [label for _, label, _ in scans[name]],
        at.called,
      )
      for name, at in splits.items()
    }
    _check_classes(splits['train'], self._records['train'], class_names)
    self.info = DatasetInfo(
      name=f'folder:{top.path}',
      version=fingerprint(scans),
      class_names=tuple(class_names),
      channels=channels_of(self._records['train']),
      splits={split: len(files) for split, files in self._records.items()},
    )

  def split(self, spec: str) -> Records:
    name = parse_split(spec, self.info).name
    return take(spec, self.info, self._records[name])


class FileRecords:
  """One split: encoded files and the labels of their folders.

  Args:
    directory: that the paths are below.
    paths: of the files.
    labels: of the files.
    called: the directory's name in messages; None is `directory`.
  """

  def __init__(
    self,
    directory: str,
    paths: list[str],
    labels: list[int],
    called: str | None = None,
  ):
    self._directory = directory
    self.paths = paths
    self.labels = labels
    self.root = printable(called or directory)

  def __len__(self) -> int:
    return len(self.paths)

  def __getitem__(self, index: int) -> dict:
    with self._open(index) as file:
      return {'image': file.read(), 'label': self.labels[index]}

  def edges(self, index: int, first: int, last: int) -> tuple[bytes, bytes]:
    """Returns so many of a file's first and of its last bytes."""
    with self._open(index) as file:
      beginning = file.read(first)
      size = file.seek(0, os.SEEK_END)
      file.seek(max(0, size - last))
      return beginning, file.read()

  def _open(self, index: int) -> BinaryIO:
    return open(os.path.join(self._directory, self.paths[index]), 'rb')

  def where(self, index: int) -> str:
    return os.path.join(self.root, printable(self.paths[index]))

  def __repr__(self) -> str:
    return f'{self.root} ({len(self)} files)'


def _check_folder(top: Place) -> None:
  if os.path.isfile(top.path):
    raise UsageError(
      f'{top.called!r} is a file, not a folder: import an archive with '
      f'`python -m scripts.prepare_data --folder` first ({top.flag}).'
    )
  if not os.path.isdir(top.path):
    raise UsageError(f'No folder {top.called!r} ({top.flag}).')
  if (name := top.path + top.called) != printable(name):
    raise top.refused('has a name that is not one line of UTF-8')


def _scan(split: Place, class_names: list[str]) -> list[tuple[str, int, int]]:
  """Returns path, label and bytes of a split's images, by the paths' hashes."""
  names = find_classes(split)
  if extra := [name for name in names if name not in class_names]:
    raise split.refused(f'has a class that train does not have: {extra[0]!r}')
  images = by_hash(
    (path, label, size)
    for label, name in enumerate(class_names)
    if name in names
    for path, size in find_images(split, name)
  )
  if not images:
    raise split.refused(f'has no images ({", ".join(SUFFIXES)})')
  return images


def by_hash(images: Iterable[tuple[str, int, int]]) -> list:
  """Returns path, label and bytes of images, by the paths' hashes."""
  hashed = [
    (hashlib.sha256(os.fsencode(image[0])).digest(), image) for image in images
  ]
  return [image for _, image in sorted(hashed)]


def _check_classes(
  split: Place, records: FileRecords, class_names: list[str]
) -> None:
  seen = set(records.labels)
  for label, name in enumerate(class_names):
    if label not in seen:
      raise (split / name).refused(f'has no images ({", ".join(SUFFIXES)})')


def fingerprint(scans: Mapping[str, list[tuple[str, int, int]]]) -> str:
  """A version: it changes when files come, go, are renamed or resized."""
  digest = hashlib.sha256()
  for split in sorted(scans):
    digest.update(os.fsencode(f'{split}\0'))
    for path, _, size in scans[split]:
      digest.update(os.fsencode(f'{path}\0{size}\0'))
  return digest.hexdigest()[:12]


def channels_of(records: FileRecords) -> int:
  """1 where the first images (in the mixed order) are all grey, else 3."""
  found = set()
  for example in read_each(records, range(min(_LOOK_AT, len(records)))):
    with contextlib.suppress(DataError):  # reading it will say so
      if not isinstance(example, DataError):
        found.add(read_header(example['image']).channels)
  return 1 if found == {1} else 3
