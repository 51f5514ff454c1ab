"""The run folder: what is fixed at its start, and how the run stands."""

import json
from collections.abc import Collection, Mapping

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

  def pin(self, resolved: Resolved, allow: Collection[str] = ()) -> None:
    """Stores the config, or compares it with the one stored before.

    Args:
      resolved: of this start.
      allow: fields that may differ from those the folder was made with.

    Raises:
      UsageError: another field differs.
      StorageError: what was stored cannot be read.
    """
    for name in allow:
      schema.field(name)
    file = self.path / 'config.json'
    if file.exists():
      before = dict(flat(read_json(file, ['config'])['config']))
      # Through JSON as well, where tuples are lists.
      now = dict(flat(json.loads(json.dumps(resolved.config))))
      _refuse_changes(before, now, allow, self.path)
    self.write_json(
      'config.json', {'config': resolved.config, 'derived': resolved.derived}
    )


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


def _refuse_changes(
  before: Mapping, now: Mapping, allow: Collection[str], path: epath.Path
) -> None:
  changed = [
    name
    for name in now
    if now[name] != before.get(name)
    and name not in allow
    and not name.startswith(FREE)
  ]
  if changed:
    name = changed[0]
    raise UsageError(
      f'{path} was begun with config.{name}={before.get(name)!r}, not '
      f'{now[name]!r}: use another --workdir, or allow it with '
      f'--allow_change={",".join(changed)}.'
    )
