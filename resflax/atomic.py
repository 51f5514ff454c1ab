"""Files and folders that are there whole or not at all."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator

from resflax.errors import StorageError


@contextlib.contextmanager
def whole_folder(path: str, *, resume: bool = False) -> Iterator[str]:
  """Yields an empty folder beside `path`, which becomes `path` at the end.

  Only one process at a time: the lock ends with the process, however that
  ends, and the next one clears away what a killed one has left.

  Args:
    path: of the folder.
    resume: whether what was left stays, for the next one to go on.

  Raises:
    StorageError: it cannot be written, it is there already, or another
      process is writing it.
  """
  parent, name = os.path.split(path)
  unfinished = unfinished_folder(path)
  try:
    with (
      made_folders(parent),
      _locked(os.path.join(parent, f'.{name}.lock'), path),
    ):
      try:
        if os.path.exists(path):
          raise StorageError(f'{path} is there already.')
        if not resume:
          shutil.rmtree(unfinished, ignore_errors=True)
        os.makedirs(unfinished, exist_ok=resume)
        yield unfinished
        os.rename(unfinished, path)
      finally:
        if not resume:
          shutil.rmtree(unfinished, ignore_errors=True)
  except OSError as error:
    raise StorageError(
      f'Cannot write {path}: {error.strerror or error}.'
    ) from error


def unfinished_folder(path: str) -> str:
  """Returns where `whole_folder` has what becomes `path`."""
  parent, name = os.path.split(path)
  return os.path.join(parent, f'.{name}.incomplete')


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[str]:
  """Yields a name beside `path`, which becomes `path` at the end.

  What stood there is replaced; the name has the ending of `path`.

  Raises:
    StorageError: it cannot be written.
  """
  folder, name = os.path.split(path)
  stem, ending = os.path.splitext(name)
  unfinished = os.path.join(folder, f'.{stem}.incomplete{ending}')
  try:
    with made_folders(folder):
      try:
        yield unfinished
        os.replace(unfinished, path)
      finally:
        with contextlib.suppress(FileNotFoundError):
          os.remove(unfinished)
  except OSError as error:
    raise StorageError(
      f'Cannot write {path}: {error.strerror or error}.'
    ) from error


@contextlib.contextmanager
def made_folders(path: str) -> Iterator[None]:
  """Makes a folder and those above it, for as long as something is in them.

  Raises:
    OSError: they cannot be made.
  """
  new, above = [path], os.path.dirname(path)
  while not os.path.exists(above):
    new.append(above)
    above = os.path.dirname(above)
  try:
    os.makedirs(path, exist_ok=True)
    yield
  finally:
    with contextlib.suppress(OSError):  # the first that is not empty
      for folder in new:
        os.rmdir(folder)


@contextlib.contextmanager
def _locked(lock: str, path: str) -> Iterator[None]:
  with open(lock, 'a') as file:
    busy = StorageError(
      f'Another process is writing {path}: wait until it has ended.'
    )
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise busy from error
    except OSError:  # a file system without locks
      pass
    if not os.fstat(file.fileno()).st_nlink:  # its owner has just removed it
      raise busy
    try:
      yield
    finally:
      os.remove(lock)
