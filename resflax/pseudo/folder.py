"""The folder of a pseudo-labelled set, over kills and processes."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator

from resflax.atomic import unfinished_folder, whole_folder
from resflax.data.describing import About, check_origin
from resflax.data.prepared import NotPreparedError, find_prepared
from resflax.data.shard_writing import shard_names
from resflax.data.writing import write_json
from resflax.errors import UsageError
from resflax.parallel import distributed

_WORK = 'work'  # below the folder: what a killed command leaves for the next
_ORIGIN = 'origin.json'
_AGAIN = 'delete it, or give another --out'
# Of the origin, what may change before the set is whole: the predictions stay.
_CHOICE = ('min_confidence', 'per_class', 'shard_examples')


def is_there(path: str, about: About) -> bool:
  """Whether the data set is whole.

  Raises:
    UsageError: there is another one of its name.
  """
  try:
    there = find_prepared(about.name, os.path.dirname(os.path.dirname(path)))
  except NotPreparedError as error:
    raise UsageError(
      f'{about.name} is the name of a TFDS data set: choose another (--out).'
    ) from error
  if there is None:
    return False
  check_origin(there.folder, about.origin, _AGAIN)
  clear(path)
  return True


@contextlib.contextmanager
def shared_folder(path: str) -> Iterator[str]:
  """Yields the folder of a set that is not whole, to every process."""
  with contextlib.ExitStack() as stack:
    distributed.on_main(
      lambda: stack.enter_context(whole_folder(path, resume=True))
    )
    yield unfinished_folder(path)


def begin(folder: str, about: About) -> str:
  """Goes on with what a killed command left, if it is the same.

  Returns:
    A folder below, for what the next one would need.

  Raises:
    UsageError: it is another teacher's, or of other images.
  """
  work = os.path.join(folder, _WORK)
  os.makedirs(work, exist_ok=True)
  origin = os.path.join(work, _ORIGIN)
  if os.path.exists(origin):
    with open(origin, encoding='utf-8') as file:
      before = json.load(file)
    fixed = {k: v for k, v in about.origin.items() if k not in _CHOICE}
    if {k: before.get(k) for k in fixed} != fixed:
      raise UsageError(
        f'{folder} was begun with another teacher, data set or options: '
        f'{_AGAIN}.'
      )
    if before != about.origin:
      for name in shard_names(folder):
        os.remove(os.path.join(folder, name))
  write_json(origin, about.origin)
  return work


def clear(path: str) -> None:
  """Removes what was kept for the next command, once there is none."""
  shutil.rmtree(os.path.join(path, _WORK), ignore_errors=True)
