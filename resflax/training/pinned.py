"""What a run folder is pinned to, compared with what another start brings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from resflax import schema
from resflax.errors import UsageError

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
  'optimizer.sharding',
  'watchdog',
  'writers',
)

# Fields that say where data lie, by path.
_PLACES = ('data.name', 'data.mixture.sources')
_KINDS = ('folder:', 'pseudo:')

DATA = 'data'  # what stands for the data set itself in --allow_change
_SHOWN = 4


class Change(NamedTuple):
  """Something that differs from what a folder was begun with.

  Attributes:
    field: of the config, or of the data set's description.
    before: its value.
    text: what differs, for people.
    allow: the name that allows it; empty where nothing does.
  """

  field: str
  before: object
  text: str
  allow: str


def changed_fields(before: Mapping, now: Mapping) -> Iterator[Change]:
  """Yields the fields of two flat configs that change the result.

  A field that came after the first one had its default then.
  """
  for name in sorted(now):
    old, new = before.get(name, schema.FIELDS[name].default), now[name]
    moved = name in _PLACES and _is_moved(old, new)
    if old != new and not moved and not name.startswith(FREE):
      yield Change(name, old, f'config.{name}={old!r}, not {new!r}', name)


def changed_data(before: Mapping, now: Mapping) -> Iterator[Change]:
  """Yields what differs between two descriptions of a data set.

  Not its name: that is the config's `data.name`, and a folder may move.
  """
  for name in ('version', 'class_names', 'splits', 'channels'):
    old, new = before[name], now[name]
    if old == new:
      continue
    shape = name == 'channels'
    if name == 'class_names':
      shape = len(old) != len(new)
      text = _classes(old, new)
    elif name == 'splits':
      text = _sizes(old, new)
    else:
      text = f'data.{name}={old!r}, not {new!r}'
    yield Change(f'data.{name}', old, text, '' if shape else DATA)


def refuse(changes: Sequence[Change], path: object) -> None:
  """Refuses changes that nobody allowed.

  Raises:
    UsageError: there are some; says which, and what to do.
  """
  if not changes:
    return
  shown = ', '.join(change.text for change in changes[:_SHOWN])
  if len(changes) > _SHOWN:
    shown += f', and {len(changes) - _SHOWN} more'
  allow = sorted({change.allow for change in changes})
  if '' in allow:
    raise UsageError(
      f'{path} has {shown}: another number of classes or channels is another '
      'network, with which no run can go on. Restore the data, or use another '
      '--workdir.'
    )
  restore = 'restore the data, ' if DATA in allow else ''
  raise UsageError(
    f'{path} has {shown}: {restore}use another --workdir, or allow it with '
    f'--allow_change={",".join(allow)}.'
  )


def _is_moved(old: object, new: object) -> bool:
  """Whether the same folders may lie elsewhere: their version tells."""
  old, new = ([x] if isinstance(x, str) else x or [] for x in (old, new))
  return len(old) == len(new) and all(
    before == now
    or any(before.startswith(k) and now.startswith(k) for k in _KINDS)
    for before, now in zip(old, new, strict=True)
  )


def _classes(old: Sequence[str], new: Sequence[str]) -> str:
  if len(old) != len(new):
    [first, *_] = sorted(set(old) ^ set(new)) or ['']
    which = 'gone' if first in old else 'new'
    return f'{len(old)} classes, not {len(new)} ({which}: {first!r})'
  label = next(i for i, name in enumerate(old) if name != new[i])
  return f'data.class_names[{label}]={old[label]!r}, not {new[label]!r}'


def _sizes(old: Mapping[str, int], new: Mapping[str, int]) -> str:
  name = next(n for n in sorted({*old, *new}) if old.get(n) != new.get(n))
  return f'data.splits.{name}={old.get(name)}, not {new.get(name)}'
