"""A folder of class folders, as people bring their own images."""

import contextlib
import hashlib
import os
from collections.abc import Iterator

from resflax.data.headers import read_header
from resflax.data.records import DatasetInfo, Records, parse_split, take
from resflax.errors import DataError, UsageError

SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.webp')
SPLITS = {
  'train': 'train',
  'val': 'validation',
  'valid': 'validation',
  'validation': 'validation',
  'test': 'test',
}
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

  Raises:
    UsageError: no such folder, no class folders, a class without images, or a
      class that train does not have.
  """

  def __init__(self, directory: str):
    if not os.path.isdir(directory):
      raise UsageError(f'No folder {directory!r} (config.data.name).')
    roots = _split_roots(directory)
    class_names = _folders(roots['train'])
    if not class_names:
      raise UsageError(
        f'{directory!r} has no class folders: put the images into DIR/CLASS/ '
        'or DIR/train/CLASS/ (config.data.name).'
      )
    self._records = {
      split: _scan(root, class_names) for split, root in roots.items()
    }
    _check_classes(self._records['train'], class_names)
    self.info = DatasetInfo(
      name=f'folder:{directory}',
      version=_fingerprint(self._records),
      class_names=tuple(class_names),
      channels=_channels(self._records['train']),
      splits={split: len(files) for split, files in self._records.items()},
    )

  def split(self, spec: str) -> Records:
    name, _, _ = parse_split(spec, self.info)
    return take(spec, self.info, self._records[name])


class FileRecords:
  """One split: encoded files and the labels of their folders."""

  def __init__(self, root: str, paths: list[str], labels: list[int]):
    self.root = root
    self.paths = paths  # below the root
    self.labels = labels

  def __len__(self) -> int:
    return len(self.paths)

  def __getitem__(self, index: int) -> dict:
    with open(self.where(index), 'rb') as file:
      return {'image': file.read(), 'label': self.labels[index]}

  def where(self, index: int) -> str:
    return os.path.join(self.root, self.paths[index])

  def __repr__(self) -> str:
    return f'{self.root} ({len(self)} files)'


def _split_roots(directory: str) -> dict[str, str]:
  """Finds the split folders, or takes the folder itself for `train`."""
  found = {}
  for folder in _folders(directory):
    split = SPLITS.get(folder)
    if split in found:
      raise UsageError(
        f'{directory!r} has two folders for the split {split!r}: '
        f'{os.path.basename(found[split])} and {folder}. Keep one.'
      )
    if split:
      found[split] = os.path.join(directory, folder)
  if 'train' in found and _folders(found['train']):
    return found
  return {'train': directory}


def _scan(root: str, class_names: list[str]) -> FileRecords:
  """Lists a split's images in the order of their hashes."""
  label_of = {name: label for label, name in enumerate(class_names)}
  if extra := set(_folders(root)) - set(class_names):
    raise UsageError(
      f'{root!r} has a class that train does not have: {sorted(extra)[0]!r}.'
    )
  images = [
    (hashlib.sha256(path.encode()).digest(), path, label_of[name])
    for name in _folders(root)
    for path in _images(root, name)
  ]
  images.sort()
  return FileRecords(root, [i[1] for i in images], [i[2] for i in images])


def _check_classes(records: FileRecords, class_names: list[str]) -> None:
  seen = set(records.labels)
  for label, name in enumerate(class_names):
    if label not in seen:
      raise UsageError(
        f'Class folder {os.path.join(records.root, name)!r} has no images '
        f'({", ".join(SUFFIXES)}).'
      )


def _images(root: str, name: str) -> Iterator[str]:
  """Yields the images of a class, in folders of any depth."""
  for folder, _, files in os.walk(os.path.join(root, name)):
    below = os.path.relpath(folder, root)
    for file in files:
      if file.lower().endswith(SUFFIXES) and not file.startswith('.'):
        yield f'{below}/{file}'


def _folders(directory: str) -> list[str]:
  with os.scandir(directory) as entries:
    names = [e.name for e in entries if e.is_dir()]
  return sorted(name for name in names if not name.startswith('.'))


def _fingerprint(records: dict[str, FileRecords]) -> str:
  """A version: it changes when files come, go or are renamed."""
  digest = hashlib.sha256()
  for split in sorted(records):
    digest.update('\n'.join([split, *records[split].paths, '']).encode())
  return digest.hexdigest()[:12]


def _channels(records: FileRecords) -> int:
  """1 where the first images (in the mixed order) are all grey, else 3."""
  found = set()
  for index in range(min(_LOOK_AT, len(records))):
    with contextlib.suppress(DataError):  # reading it will say so
      found.add(read_header(records[index]['image']).channels)
  return 1 if found == {1} else 3
