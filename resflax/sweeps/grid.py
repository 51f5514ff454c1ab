"""The runs of a sweep, as a Python file lists them.

A sweep file has a function `sweep(add)`, as those of big_vision: each call of
`add` is one run, given the fields in which it differs from the config.
"""

import dataclasses
import hashlib
import itertools
import json
import runpy
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from resflax import schema
from resflax.errors import UsageError

_NONE: Mapping[str, object] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Planned:
  """A run that a sweep asks for.

  Attributes:
    label: what tables call it; runs that differ in the seed alone share one.
    fields: what it sets, by dotted path.
    config_arg: the text behind the config file's colon.
    against: the label it is compared with, seed by seed.
  """

  label: str
  fields: Mapping[str, object]
  config_arg: str = ''
  against: str = ''

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
    UsageError: no such file or function, a field or value that is not allowed,
      or two equal runs.
  """
  try:
    sweep = runpy.run_path(path).get('sweep')
  except OSError as error:
    raise UsageError(f'No sweep file {path!r} (--sweep).') from error
  if sweep is None:
    raise UsageError(f'{path} has no function sweep(add) (--sweep).')
  runs: list[Planned] = []

  def add(
    label: str = '', /, *, config_arg=config_arg, against='', **fields
  ) -> None:
    fields = {name.removeprefix('config.'): v for name, v in fields.items()}
    for name, value in fields.items():
      schema.field(name).check(name, value)
    runs.append(Planned(label, {**common, **fields}, config_arg, against))

  sweep(add)
  _refuse_doubles(runs, path)
  return runs


def product(**values) -> Iterator[dict[str, object]]:
  """Yields every combination: `for fields in product(seed=range(3), ...)`."""
  for row in itertools.product(*values.values()):
    yield dict(zip(values, row, strict=True))


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


def _text(value: object) -> str:
  if isinstance(value, bool):
    return str(value).lower()
  return value if isinstance(value, str) else repr(value)
