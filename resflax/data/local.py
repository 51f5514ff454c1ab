"""The local folder that data sets are written to."""

import contextlib
import errno
import os
from collections.abc import Iterator

from resflax.data.names import default_dir
from resflax.errors import ResflaxError, StorageError, UsageError
from resflax.paths import absolute

# How array_record's and TensorFlow's errors quote those of the system.
_SAID = tuple(
  os.strerror(getattr(errno, name))
  for name in ('ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM')
)


def target_dir(data_dir: str | None, flag: str = '--data_dir') -> str:
  """Returns the absolute path of a folder to write to; None is TFDS's default.

  Args:
    data_dir: the folder.
    flag: that gave it.

  Raises:
    UsageError: it is no local one.
  """
  path = absolute(data_dir or default_dir())
  if '://' in path:
    raise UsageError(
      f'{flag}={path}: data are written to a local folder. Prepare it '
      'there, then copy it: gcloud storage cp -r DIR/* BUCKET.'
    )
  return path


@contextlib.contextmanager
def storing(data_dir: str, flag: str = '--data_dir') -> Iterator[None]:
  """Says in one line that a folder is full, read-only or none.

  Args:
    data_dir: the folder.
    flag: that gave it.

  Raises:
    StorageError: instead of what Python, TensorFlow or array_record raise.
  """
  try:
    yield
  except ResflaxError:
    raise
  except Exception as error:
    if not is_of_storage(error):
      raise
    said = ' '.join(str(error).split())
    raise StorageError(
      f'Cannot prepare data in {data_dir}: {said} ({flag}).'
    ) from error


def is_of_storage(error: Exception) -> bool:
  """Whether files cannot be written, whoever passes that on."""
  return isinstance(error, OSError) or any(s in str(error) for s in _SAID)
