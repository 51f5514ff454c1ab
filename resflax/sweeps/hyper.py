"""Combinations of fields, by big_vision's names.

`product`, `zipit` and `chainit` are for a `sweep(add)`; `Hyper` is what a
`get_hyper(hyper)` is called with. Both make a part: a list of dicts, each the
fields of one run.
"""

import itertools
from collections.abc import Iterable, Mapping

from resflax.errors import UsageError

Part = list[dict[str, object]]


def product(*parts: Iterable[Mapping], **values: Iterable) -> Part:
  """Returns every combination, the last one changing fastest.

  `for fields in product(seed=range(3), **{'model.width': (0.5, 1.0)})`.

  Args:
    *parts: what another of these functions returned.
    **values: of a field.
  """
  return [_joined(row) for row in itertools.product(*_parts(parts, values))]


def zipit(*parts: Iterable[Mapping], **values: Iterable) -> Part:
  """Returns the first of each together, then the second of each.

  Args:
    *parts: see `product`.
    **values: see `product`.

  Raises:
    UsageError: they are not equally many.
  """
  rows = _parts(parts, values)
  if len({len(row) for row in rows}) > 1:
    counts = ', '.join(f'{len(row)} of {_names(row)}' for row in rows)
    raise UsageError(f'zipit takes equally many of each, not {counts}.')
  return [_joined(row) for row in zip(*rows, strict=True)]


def chainit(*parts: Iterable[Mapping]) -> Part:
  """Returns one part after the other."""
  return [dict(fields) for part in parts for fields in part]


class Hyper:
  """What `get_hyper(hyper)` is given.

  Source: the sweeps in `configs/proj/distill` of big_vision, and in
  uncertainty-baselines, where parts come in a list.
  """

  def sweep(self, name: str, values: Iterable) -> Part:
    """Returns a part of one field."""
    return [{name: value} for value in values]

  def fixed(self, name: str, value: object, length: int = 1) -> Part:
    """Returns a part of one field with one value."""
    return [{name: value}] * length

  def product(self, parts: Iterable[Part]) -> Part:
    """See `product`."""
    return product(*parts)

  def zipit(self, parts: Iterable[Part]) -> Part:
    """See `zipit`."""
    return zipit(*parts)

  def chainit(self, parts: Iterable[Part]) -> Part:
    """See `chainit`."""
    return chainit(*parts)

  def discrete(self, values: Iterable) -> list:
    """Returns the values of a sweep."""
    return list(values)

  categorical = discrete

  def boolean(self) -> list[bool]:
    """Returns both."""
    return [False, True]

  def __getattr__(self, name: str):
    known = [n for n in vars(Hyper) if not n.startswith('_')]
    raise UsageError(
      f'hyper.{name} is not known here, where runs are listed and not drawn. '
      f'Choose one of: {", ".join(known)} (--sweep).'
    )


def _parts(parts: Iterable, values: Mapping[str, Iterable]) -> list[Part]:
  named = ([{name: v} for v in some] for name, some in values.items())
  return [*map(list, parts), *named]


def _joined(row: Iterable[Mapping]) -> dict[str, object]:
  """Joins the fields of one run.

  Raises:
    UsageError: one field is set twice.
  """
  fields: dict[str, object] = {}
  for part in row:
    both = fields.keys() & part.keys()
    if both:
      raise UsageError(f'{min(both)} is set twice for one run (--sweep).')
    fields |= part
  return fields


def _names(part: Part) -> str:
  return ' and '.join(part[0]) if part else 'nothing'
