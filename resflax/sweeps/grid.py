"""The runs of a sweep, as a Python file lists them.

A sweep file has a function `sweep(add)`, as those of big_vision: each call of
`add` is one run, given the fields in which it differs from the config. Its
older style, `get_hyper(hyper)`, is in `hyper`.
"""

import dataclasses
import glob
import hashlib
import json
import math
import os
import re
import reprlib
import runpy
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from resflax import schema
from resflax.errors import ResflaxError, UsageError, failure, near_miss, unknown
from resflax.fields import differing
from resflax.sweeps.hyper import Hyper, chainit, product, zipit

__all__ = ['Planned', 'chainit', 'load_sweep', 'product', 'zipit']

_NONE: Mapping[str, object] = MappingProxyType({})
_LABEL = re.compile(r'[\w.,=+-]+')  # part of a folder's name
_OTHER = re.compile(r'[^\w.+-]+')
_LONGEST = 80


@dataclasses.dataclass(frozen=True)
class Planned:
  """A run that a sweep asks for.

  Attributes:
    label: what tables call it; runs that differ in the seed alone share one.
    fields: what it sets, by dotted path.
    config_arg: the text behind the config file's colon.
    against: the label it is compared with, seed by seed.
    published: the difference to it that a paper has, in points of top-1.
  """

  label: str
  fields: Mapping[str, object]
  config_arg: str = ''
  against: str = ''
  published: float | None = None

  @property
  def content(self) -> str:
    """What it computes: equal for equal runs."""
    return json.dumps(
      [self.config_arg, dict(self.fields)], default=list, sort_keys=True
    )

  @property
  def name(self) -> str:
    """The run's folder: its label, and a hash of what it computes."""
    digest = hashlib.sha256(self.content.encode()).hexdigest()[:8]
    return f'{self.label}-{digest}' if self.label else digest

  @property
  def flags(self) -> list[str]:
    """The overrides of `scripts.train`."""
    return [f'--config.{k}={_text(v)}' for k, v in self.fields.items()]


def load_sweep(
  path: str, config_arg: str = '', common: Mapping[str, object] = _NONE
) -> list[Planned]:
  """Returns the runs of a sweep file, in its order.

  Args:
    path: of the file.
    config_arg: of runs that name none.
    common: fields of runs that do not set them.

  Raises:
    UsageError: no such file or function, an error in the file, a field, value
      or label that is not allowed, two equal runs, a comparison with a label
      that no run has, or a common field that all runs set.
  """
  runs: list[Planned] = []
  idle, of_all = set(common), config_arg

  def add(
    label='',
    /,
    *,
    config_arg=config_arg,
    against='',
    published=None,
    **fields,
  ) -> None:
    fields = _unprefixed(fields)
    if not isinstance(config_arg, str):
      raise UsageError(
        f"config_arg={config_arg!r} takes the text behind the config file's "
        "colon, such as 'resnet56' (--sweep)."
      )
    for name, value in fields.items():
      schema.field(name).check(name, value)
    idle.intersection_update(fields)
    own = '' if config_arg == of_all else config_arg
    label = _checked(label) if label else _label_of(fields, own)
    _check_compared(label, against, published)
    runs.append(
      Planned(label, {**common, **fields}, config_arg, against, published)
    )

  if not os.path.isfile(path):
    beside = glob.glob(os.path.join(os.path.dirname(path), '*.py'))
    hint = near_miss(path, beside)
    raise UsageError(f'No sweep file {path!r} (--sweep).{hint}')
  try:
    _list(path, add)
  except ResflaxError:
    raise
  except (Exception, SystemExit) as error:
    raise UsageError(failure(f'--sweep={path}', error)) from error
  _refuse_doubles(runs, path)
  _refuse_shared(runs)
  _refuse_unknown(runs)
  if idle:
    raise UsageError(
      f'--config.{min(idle)} does nothing: every run of {path} sets it itself. '
      'Leave it out, or change the sweep file.'
    )
  return runs


def _unprefixed(fields: Mapping[str, object]) -> dict[str, object]:
  """Returns fields by their path, NumPy's numbers as Python's."""
  found: dict[str, object] = {}
  for given, value in fields.items():
    name = given.removeprefix('config.')
    if name in found:
      raise UsageError(f'{name} and config.{name} are one field (--sweep).')
    found[name] = value.item() if isinstance(value, np.generic) else value
  return found


def _list(path: str, add: Callable[..., None]) -> None:
  """Calls `add` for each run of a sweep file."""
  names = runpy.run_path(path)
  if sweep := names.get('sweep'):
    sweep(add)
  elif get_hyper := names.get('get_hyper'):
    for fields in _each(get_hyper(Hyper()), path):
      add(**fields)
  else:
    raise UsageError(
      f'{path} has no function sweep(add), nor get_hyper(hyper) (--sweep).'
    )


def _each(made: object, path: str) -> list[Mapping]:
  runs = list(made) if isinstance(made, Iterable) else [made]
  if not all(isinstance(run, Mapping) for run in runs):
    raise UsageError(
      f'get_hyper of {path} returns {reprlib.repr(made)}, but it takes a list '
      'of dicts, each the fields of one run (--sweep).'
    )
  return runs


def _checked(label: object) -> str:
  if not isinstance(label, str):
    raise UsageError(f'The label {label!r} is to be a text (--sweep).')
  if not _LABEL.fullmatch(label) or len(label) > _LONGEST:
    raise UsageError(
      f'The label {label!r} is not allowed: it takes up to {_LONGEST} letters, '
      'digits and _.,=+- (--sweep).'
    )
  return label


def _label_of(fields: Mapping[str, object], config_arg: str) -> str:
  """Returns a label of what a run sets, but for its seed.

  One that would be too long ends in a hash of all of it.
  """
  values = {name: v for name, v in fields.items() if name != 'seed'}
  parts = [_OTHER.sub('_', config_arg).strip('_')] if config_arg else []
  for name, value in values.items():
    last = name.split('.')[-1]
    alone = sum(other.split('.')[-1] == last for other in values) == 1
    shown = last if alone else name
    parts.append(f'{shown}={_OTHER.sub("_", _text(value)).strip("_")}')
  label = ','.join(parts) or 'base'
  if len(label) <= _LONGEST:
    return label
  digest = hashlib.sha256(label.encode()).hexdigest()[:8]
  return f'{label[: _LONGEST - 9]}-{digest}'


def _refuse_doubles(runs: list[Planned], path: str) -> None:
  if not runs:
    raise UsageError(f'{path} adds no run (--sweep).')
  seen: dict[str, Planned] = {}
  for run in runs:
    if before := seen.get(run.content):
      raise UsageError(
        f'{path} adds one run twice: {before.label or "a run"} and '
        f'{run.label or "a run"} both set {dict(run.fields)} (--sweep).'
      )
    seen[run.content] = run


def _refuse_shared(runs: list[Planned]) -> None:
  """Refuses a label of several designs.

  Its runs differ in the seed, and may in data that are drawn by the seed.
  """
  first: dict[object, Planned] = {}
  for run in runs:
    of_seed = run.label, run.fields.get('seed')
    differ = differing(run.fields, first.setdefault(of_seed, run).fields)
    other = first.setdefault(run.label, run)
    differ += [
      name
      for name in differing(run.fields, other.fields)
      if name != 'seed' and not name.startswith('data.')
    ]
    if run.config_arg != other.config_arg:
      differ.append('config_arg')
    if differ:
      raise UsageError(
        f'Runs labelled {run.label!r} differ in {differ[0]}, and a label is of '
        "runs that differ in the seed: give them labels, add('LABEL', ...) "
        '(--sweep).'
      )


def _refuse_unknown(runs: list[Planned]) -> None:
  """Refuses comparisons with a label that no run has."""
  labels = dict.fromkeys(run.label for run in runs)
  for run in runs:
    if run.against and run.against not in labels:
      where = f'against of {run.label!r}, --sweep'
      raise unknown('label', run.against, labels, where)


def _check_compared(label: str, against: str, value: object) -> None:
  """Refuses a comparison with itself, and a published one that is none."""
  if against == label:
    raise UsageError(f'{label!r} is compared with itself (against, --sweep).')
  number = isinstance(value, int | float) and math.isfinite(value)
  if value is not None and not (number and against):
    raise UsageError(
      f'published={value!r} of {label!r} takes points of top-1, such as 0.3, '
      "beside against='LABEL' (--sweep)."
    )


def _text(value: object) -> str:
  if isinstance(value, bool):
    return str(value).lower()
  return value if isinstance(value, str) else repr(value)
