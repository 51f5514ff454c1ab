"""The run folder: what is fixed at its start, and how the run stands."""

import errno
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence

from etils import epath

from resflax import schema
from resflax.config import Resolved
from resflax.errors import StorageError, UsageError, not_a_run, unknown
from resflax.fields import flat, tuples
from resflax.parallel import distributed
from resflax.paths import absolute
from resflax.resolution import Stage
from resflax.training.pinned import (
  DATA,
  Change,
  changed_data,
  changed_fields,
  refuse,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class Workdir:
  """Files of one run; gs:// works, for all goes through etils.epath.

  Of several processes, the main one writes.
  """

  def __init__(self, path: epath.PathLike):
    """Makes the folder.

    Raises:
      StorageError: it cannot be made or written.
    """
    self.path = epath.Path(absolute(path))
    distributed.on_main(self._make)

  def _make(self) -> None:
    try:
      self.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
      raise not_written(error, self.path) from error

  def write_json(self, name: str, data: object) -> None:
    """Writes a file that is there whole or not at all.

    Raises:
      StorageError: it cannot be written.
    """
    if not distributed.is_main():
      return
    temporary = self.path / f'.{name}.tmp'
    try:
      temporary.write_text(json.dumps(data, indent=2) + '\n')
      temporary.replace(self.path / name)
    except OSError as error:
      raise not_written(error, self.path) from error

  def write_status(self, state: str, exit_code: int, **numbers: int) -> None:
    """Says how the run stands: running, done, preempted or failed."""
    status = {'state': state, 'exit_code': exit_code, **numbers}
    self.write_json('status.json', status)

  def write_bad_examples(self, found: Sequence[Sequence]) -> None:
    """Keeps the training examples that had to be replaced."""
    self.write_json('bad_examples.json', {'examples': found})

  def bad_examples(self) -> list[Sequence]:
    """Returns those that earlier starts of the run had to replace."""
    file = self.path / 'bad_examples.json'
    return read_json(file, ['examples'])['examples'] if file.exists() else []

  def pin(
    self, resolved: Resolved, data: Mapping, allow: Collection[str] = ()
  ) -> None:
    """Stores config and data set, or compares them with those stored before.

    Args:
      resolved: of this start.
      data: the fields of a `DatasetInfo`, of this start.
      allow: fields that may differ from those the folder was made with;
        `data` stands for the data set itself.

    Raises:
      UsageError: something else differs, or the run has no step left that a
        change could act on.
      StorageError: what was stored cannot be read.
    """
    for name in allow:
      if name != DATA and name not in schema.FIELDS:
        raise unknown('field', name, (DATA, *schema.FIELDS), '--allow_change')
    stored = {'changes': []}
    if (self.path / 'config.json').exists():
      stored = read_json(self.path / 'config.json', ['config', 'changes'])
      changes = changes_of(self.path, resolved, data)
      refuse([c for c in changes if c.allow not in allow], self.path)
      if changes:
        step = self._step_left(resolved.total_steps, changes)
        stored['changes'] += [
          {'step': step, 'field': change.field, 'from': change.before}
          for change in changes
        ]
      if any(change.allow == DATA for change in changes):
        # They are indices into the data that were.
        (self.path / 'bad_examples.json').unlink(missing_ok=True)
    self.write_json(
      'config.json',
      {
        'config': resolved.config,
        'derived': resolved.derived,
        'changes': stored['changes'],
      },
    )
    self.write_json('dataset.json', data)

  def _step_left(self, total_steps: int, changes: Sequence[Change]) -> int:
    """Returns the step of the last save; refuses where it is the last one.

    But for other data where only the test is left: a bad image in it may be
    why.
    """
    file = self.path / 'status.json'
    if not file.exists():
      return 0
    step, state = read_json(file, ['step', 'state']).values()
    untested = state != 'done' and all(c.allow == DATA for c in changes)
    if step and step >= total_steps and not untested:
      raise UsageError(
        f'{self.path} holds a finished run of {step} steps: no step is left '
        'that --allow_change could act on. Use another --workdir, or lengthen '
        'config.schedule.total_* as well.'
      )
    return step


def changes_of(
  path: epath.Path, resolved: Resolved, data: Mapping
) -> list[Change]:
  """Returns what differs from what is stored in a run folder.

  Args:
    path: of the folder.
    resolved: the config of another start.
    data: the fields of its `DatasetInfo`.

  Raises:
    StorageError: what is stored cannot be read.
  """
  fields = changed_since(path, resolved)
  file = path / 'dataset.json'
  of_data = []
  if file.exists():  # or the first start was killed between the two files
    of_data = [*changed_data(read_json(file, data), _as_json(data))]
  if of_data:  # what is derived may follow from the data, as the steps do
    fields = (
      field._replace(allow=DATA) if field.field in resolved.reasons else field
      for field in fields
    )
  return [*of_data, *fields]


def changed_since(path: epath.Path, resolved: Resolved) -> Iterator[Change]:
  """Returns the fields that differ from those stored in a run folder.

  Raises:
    StorageError: what is stored cannot be read.
  """
  before = read_json(path / 'config.json', ['config'])['config']
  now = _as_json(resolved.config)
  return changed_fields(dict(flat(before)), dict(flat(now)))


def read_config(path: epath.Path) -> Resolved:
  """Returns the config of a run folder as its run decided it.

  Nothing is decided again: a rule or a default may have changed since.

  Raises:
    UsageError: it is not a run folder.
  """
  if not (path / 'config.json').exists():
    raise not_a_run(path)
  stored = read_json(path / 'config.json', ('config', 'derived'))
  stored = tuples(stored)
  derived = {name: d['value'] for name, d in stored['derived'].items()}
  given = dict(flat(stored['config']))
  stages = derived['resolution.table']
  derived['resolution.table'] = tuple(Stage(*stage) for stage in stages)
  default = {name: field.default for name, field in schema.FIELDS.items()}
  return Resolved(
    {**default, **given, **derived},
    {name: d['reason'] for name, d in stored['derived'].items()},
  )


def read_json(file: epath.Path, names: Collection[str]) -> dict:
  """Returns the JSON object in a file.

  Args:
    file: of a run folder.
    names: it has to hold.

  Raises:
    StorageError: it cannot be read, or is not what training writes.
  """
  try:
    stored = json.loads(file.read_text())
    return {name: stored[name] for name in names}
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise StorageError(
      f'Cannot read {str(file)!r}: {type(error).__name__}: {error}.'
    ) from error


def of_folder(error: BaseException, path: epath.Path) -> StorageError | None:
  """Returns the one line for an error of the run folder, None for others.

  Args:
    error: that ended the run.
    path: the folder of the run.
  """
  if isinstance(error, StorageError) and not (path / 'config.json').exists():
    # What Orbax says then is of its own files.
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
  if not isinstance(error, OSError):
    return None
  below = str(error.filename or '').startswith(str(path))
  return not_written(error, path) if below or error.errno in _FULL else None


def not_written(error: OSError, path: epath.Path) -> StorageError:
  """Returns the one line for an error of the run folder.

  Args:
    error: of the file system.
    path: the folder of the run.
  """
  return StorageError(
    f'Cannot write to {str(path)!r}: {error.strerror or error} (--workdir).'
  )


def _as_json(tree: Mapping) -> dict:
  """What is read back of it: tuples are lists."""
  return json.loads(json.dumps(tree))
