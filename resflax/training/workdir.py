"""The run folder: what is fixed at its start, and how the run stands."""

import json
from collections.abc import Collection, Mapping, Sequence

from etils import epath

from resflax import schema
from resflax.config import Resolved
from resflax.errors import StorageError, UsageError
from resflax.fields import flat
from resflax.paths import absolute

# Fields that say how a run is watched and kept, not what it computes.
FREE = (
  'platform',
  'data.data_dir',
  'data.workers',
  'data.bad_budget',
  'log_every',
  'checkpoint_every',
  'keep',
  'profile_steps',
  'writers',
)


class Workdir:
  """Files of one run; gs:// works, for all goes through etils.epath."""

  def __init__(self, path: epath.PathLike):
    """Makes the folder.

    Raises:
      StorageError: it cannot be made or written.
    """
    self.path = epath.Path(absolute(path))
    try:
      self.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
      raise StorageError(
        f'Cannot write to {str(path)!r}: {error.strerror or error} (--workdir).'
      ) from error

  def write_json(self, name: str, data: object) -> None:
    """Writes a file that is there whole or not at all."""
    temporary = self.path / f'.{name}.tmp'
    temporary.write_text(json.dumps(data, indent=2) + '\n')
    temporary.replace(self.path / name)

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

  def pin(self, resolved: Resolved, allow: Collection[str] = ()) -> None:
    """Stores the config, or compares it with the one stored before.

    Args:
      resolved: of this start.
      allow: fields that may differ from those the folder was made with.

    Raises:
      UsageError: another field differs, or the run has no step left that a
        change could act on.
      StorageError: what was stored cannot be read.
    """
    for name in allow:
      schema.field(name)
    file = self.path / 'config.json'
    changes = []
    if file.exists():
      stored = read_json(file, ['config', 'changes'])
      before = dict(flat(stored['config']))
      # Through JSON as well, where tuples are lists.
      now = dict(flat(json.loads(json.dumps(resolved.config))))
      changed = _changed(before, now)
      _refuse_changes(before, now, changed - set(allow), self.path)
      changes = stored['changes']
      if changed:
        step = self._step_left(resolved['schedule.total_steps'])
        changes += [
          {'step': step, 'field': name, 'from': before.get(name)}
          for name in sorted(changed)
        ]
    self.write_json(
      'config.json',
      {
        'config': resolved.config,
        'derived': resolved.derived,
        'changes': changes,
      },
    )

  def _step_left(self, total_steps: int) -> int:
    """Returns the step of the last save; refuses where it is the last one."""
    file = self.path / 'status.json'
    step = read_json(file, ['step'])['step'] if file.exists() else 0
    if step and step >= total_steps:
      raise UsageError(
        f'{self.path} holds a finished run of {step} steps: no step is left '
        'that --allow_change could act on. Use another --workdir, or lengthen '
        'config.schedule.total_* as well.'
      )
    return step


def read_config(path: epath.Path) -> Resolved:
  """Returns the config of a run folder as its run decided it.

  Nothing is decided again: a rule or a default may have changed since.

  Raises:
    UsageError: it is not a run folder.
  """
  if not (path / 'config.json').exists():
    raise UsageError(
      f'{str(path)!r} is not a run folder: it has no config.json. Give the '
      '--workdir of a scripts.train command.'
    )
  stored = read_json(path / 'config.json', ('config', 'derived'))
  derived = {name: _tuples(d['value']) for name, d in stored['derived'].items()}
  given = {name: _tuples(value) for name, value in flat(stored['config'])}
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


def _tuples(value: object) -> object:
  """What JSON made a list of was a tuple."""
  if isinstance(value, list):
    return tuple(_tuples(item) for item in value)
  return value


def _changed(before: Mapping, now: Mapping) -> set[str]:
  """Returns the fields that differ and are part of the result."""
  return {
    name
    for name in now
    if now[name] != before.get(name) and not name.startswith(FREE)
  }


def _refuse_changes(
  before: Mapping, now: Mapping, changed: Collection[str], path: epath.Path
) -> None:
  if not changed:
    return
  shown = ', '.join(
    f'config.{name}={before.get(name)!r}, not {now[name]!r}'
    for name in sorted(changed)[:4]
  )
  rest = f', and {len(changed) - 4} more' if len(changed) > 4 else ''
  raise UsageError(
    f'{path} has {shown}{rest}: use another --workdir, or allow it with '
    f'--allow_change={",".join(sorted(changed))}.'
  )
