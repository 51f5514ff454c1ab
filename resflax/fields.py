"""What a config field is: a type, a range, and how it refuses a value."""

import dataclasses
import math
from collections.abc import Iterator, Mapping

from resflax.errors import UsageError, unknown

_ITEMS = {int: '(1, 2)', float: '(0.5, 1.0)', str: "('a', 'b')"}
_NAMES = {int: 'an int', float: 'a float', bool: 'true or false', str: 'a str'}


@dataclasses.dataclass(frozen=True)
class Field:
  """One config field.

  Attributes:
    kind: int, float, bool, str or tuple.
    default: the value where nobody sets one; None = unset.
    doc: what it means, with its unit.
    choices: the allowed strings, if there is a closed list.
    low: the smallest allowed number.
    high: the largest allowed number.
    below: what a number has to stay under.
    item: the type of a tuple's items.
    length: of a tuple, where it has one.
    optional: may be None although its default is not.
  """

  kind: type
  default: object
  doc: str
  choices: tuple[str, ...] = ()
  low: int | float | None = None
  high: int | float | None = None
  below: int | float | None = None
  item: type | None = None
  length: int | None = None
  optional: bool = False

  @property
  def expects(self) -> str:
    """Says in words what is allowed."""
    if self.choices:
      return 'one of ' + ', '.join(self.choices)
    if self.kind is tuple:
      count = f'{self.length} ' if self.length else ''
      item = self.item.__name__
      return f'a tuple of {count}{item}, such as {_ITEMS[self.item]}'
    bounds = [
      f'{sign} {bound:g}'
      for sign, bound in (
        ('>=', self.low),
        ('<=', self.high),
        ('<', self.below),
      )
      if bound is not None
    ]
    return ' '.join([_NAMES[self.kind], ' and '.join(bounds)]).strip()

  def check(self, path: str, value: object) -> object:
    """Returns `value`, or raises UsageError if this field cannot hold it."""
    if value is None and (self.optional or self.default is None):
      return None
    if not self._is_of_kind(value):
      raise self._refusal(path, value)
    if self.choices and value not in self.choices:
      raise unknown('value', value, self.choices, f'config.{path}')
    if isinstance(value, int | float) and (
      (self.low is not None and not value >= self.low)
      or (self.high is not None and not value <= self.high)
      or (self.below is not None and not value < self.below)
    ):
      raise self._refusal(path, value)
    return self.kind(value) if self.kind is float else value

  def _is_of_kind(self, value: object) -> bool:
    if self.kind is not tuple or not isinstance(value, tuple):
      return _fits(value, self.kind)
    is_long = self.length in (None, len(value))
    return is_long and all(_fits(item, self.item) for item in value)

  def _refusal(self, path: str, value: object) -> UsageError:
    return UsageError(
      f'config.{path}={value!r} is not allowed: it takes {self.expects}.'
    )


def _fits(value: object, kind: type) -> bool:
  if kind is float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
  if kind is int:
    return isinstance(value, int) and not isinstance(value, bool)
  return isinstance(value, kind)


def duration(name: str, doc: str, *, percent: bool = False, **defaults):
  """Returns the fields of a duration: at most one suffix may be set."""
  units = ('steps', 'epochs', 'examples') + (('percent',) if percent else ())
  return {
    f'{name}_{unit}': Field(
      int if unit in ('steps', 'examples') else float,
      defaults.get(unit),
      f'{doc}, in {unit}' + (' of the run' if unit == 'percent' else ''),
      low=0,
      high=100 if unit == 'percent' else None,
      optional=True,
    )
    for unit in units
  }


def rate(default: float | None, doc: str) -> Field:
  """Returns the field of a part of one, 0 to 1."""
  return Field(float, default, doc, low=0, high=1)


def part(default: float | None, doc: str) -> Field:
  """Returns the field of a part of one that leaves something of it."""
  return Field(float, default, doc, low=0, below=1)


def flat(
  tree: Mapping, prefix: str = '', separator: str = '.'
) -> Iterator[tuple[str, object]]:
  """Yields `(dotted path, leaf)` of a nested mapping, in its own order."""
  for name, value in tree.items():
    if isinstance(value, Mapping):
      yield from flat(value, f'{prefix}{name}{separator}', separator)
    else:
      yield f'{prefix}{name}', value


def differing(
  one: Mapping[str, object], other: Mapping[str, object]
) -> list[str]:
  """Returns the names of fields that are not equal, in alphabetic order."""
  names = sorted(one.keys() | other.keys())
  return [name for name in names if one.get(name) != other.get(name)]


def nest(leaves: Mapping[str, object], separator: str = '.') -> dict:
  """Returns the nested dict of `{dotted path: leaf}`."""
  tree = {}
  for path, value in leaves.items():
    *groups, name = path.split(separator)
    node = tree
    for group in groups:
      node = node.setdefault(group, {})
    node[name] = value
  return tree


def tuples(value: object) -> object:
  """Returns what JSON has read with the tuples that it made lists of."""
  if isinstance(value, Mapping):
    return {name: tuples(item) for name, item in value.items()}
  if isinstance(value, list):
    return tuple(tuples(item) for item in value)
  return value
