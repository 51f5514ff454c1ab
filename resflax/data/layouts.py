"""How people lay out class folders, and what lies in them."""

import dataclasses
import os
import stat
from collections.abc import Iterator

from resflax.data.patience import patiently
from resflax.errors import DataError, UsageError
from resflax.paths import printable

SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.webp')
SPLITS = {
  'train': 'train',
  'training': 'train',
  'val': 'validation',
  'valid': 'validation',
  'validation': 'validation',
  'test': 'test',
  'testing': 'test',
}
_LAYOUTS = (
  'Allowed are DIR/CLASS/*.jpg, or DIR/train/CLASS/*.jpg with '
  'DIR/validation/CLASS and DIR/test/CLASS beside it'
)


@dataclasses.dataclass(frozen=True)
class Place:
  """A folder below the user's, and its name in messages.

  Attributes:
    path: where it is.
    called: what the user calls it; an archive is unpacked elsewhere.
    flag: or field, that gave it.
  """

  path: str
  called: str
  flag: str

  def __truediv__(self, name: str) -> 'Place':
    return dataclasses.replace(
      self,
      path=os.path.join(self.path, name),
      called=os.path.join(self.called, name),
    )

  def refused(self, says: str) -> UsageError:
    return UsageError(f'{self.called!r} {says}. {_LAYOUTS} ({self.flag}).')

  def entries(self) -> tuple[list[str], dict[str, int]]:
    """Returns its folders, sorted, and its images with their bytes.

    Links are followed. Hidden names are left out, and those of macOS.

    Raises:
      DataError: what cannot be read, or is neither a folder nor a file: the
        first byte of a pipe may never come.
      StorageError: the storage fails.
    """
    try:
      return patiently(self._entries, repr(self.called))
    except OSError as error:
      path = error.filename or self.path
      why = 'a broken link' if os.path.islink(path) else error.strerror
      called = path.replace(self.path, self.called, 1)
      raise DataError(f'Cannot read {called!r}: {why}.') from error

  def _entries(self) -> tuple[list[str], dict[str, int]]:
    folders, images = [], {}
    with os.scandir(self.path) as entries:
      for entry in entries:
        if entry.name.startswith('.') or entry.name == '__MACOSX':
          continue
        status = entry.stat()
        if stat.S_ISDIR(status.st_mode):
          folders.append(entry.name)
        elif not stat.S_ISREG(status.st_mode):
          called = (self / entry.name).called
          raise DataError(f'{called!r} is neither a folder nor a file.')
        elif entry.name.lower().endswith(SUFFIXES):
          images[entry.name] = status.st_size
    return sorted(folders), images


def find_splits(top: Place) -> dict[str, Place]:
  """Finds the split folders, or takes the folder of classes for `train`.

  Raises:
    UsageError: split folders beside others, or without one for train.
  """
  place = _look_through(top)
  folders, _ = place.entries()
  named = {f: SPLITS[f.lower()] for f in folders if f.lower() in SPLITS}
  if not named:
    only = os.path.basename(place.path)
    if place != top and SPLITS.get(only.lower(), 'train') != 'train':
      raise top.refused(f'has {only!r} but no train')
    return {'train': place}
  if others := [f for f in folders if f not in named]:
    raise place.refused(
      f'has {others[0]!r} beside the split folder {next(iter(named))!r}: move '
      'one away, or all into DIR/train if they are classes'
    )
  found = {}
  for folder, split in named.items():
    if split in found:
      raise place.refused(
        f'has two folders for the split {split!r}: keep one of '
        f'{os.path.basename(found[split].path)!r} and {folder!r}'
      )
    found[split] = place / folder
  if 'train' not in found:
    raise place.refused(f'has {", ".join(map(repr, named))} but no train')
  return found


def find_classes(split: Place) -> list[str]:
  """Returns the class folders of a split, sorted.

  Raises:
    UsageError: there are none, there are images beside them, or a name that
      is not one line of UTF-8.
  """
  folders, images = split.entries()
  if not folders:
    raise split.refused('has no class folders')
  if images:
    raise split.refused(
      f'has an image beside its class folders: {min(images)!r}'
    )
  for name in folders:
    if name != printable(name).strip():
      raise split.refused(
        f'has a class folder {name!r}: a name is one line of UTF-8, without '
        'spaces around it'
      )
  return folders


def find_images(split: Place, name: str) -> Iterator[tuple[str, int]]:
  """Yields path below the split and bytes of a class's images, at any depth.

  Raises:
    UsageError: a link to a folder that it lies in.
  """
  waiting = [(name, frozenset([os.path.realpath(split.path)]))]
  while waiting:
    below, above = waiting.pop()
    place = split / below
    real = os.path.realpath(place.path)
    if real in above:
      raise place.refused('is a link to a folder that it lies in')
    folders, images = place.entries()
    for image, size in images.items():
      yield f'{below}/{image}', size
    waiting += [(f'{below}/{folder}', above | {real}) for folder in folders]


def _look_through(place: Place) -> Place:
  """Goes down while a folder has one folder, which has some, and no images."""
  while True:
    folders, images = place.entries()
    if len(folders) != 1 or images or not (place / folders[0]).entries()[0]:
      return place
    place /= folders[0]
