"""Design points as a CSV file, `fit.csv`: what a fit leaves and starts from."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from resflax.errors import UsageError, unknown
from resflax.sweeps.points import Point

Cells = Mapping[str | None, str | None]


def _positive(text: str) -> float:
  if not 0 < (value := float(text)) < math.inf:
    raise ValueError(text)
  return value


def _part(text: str) -> float:
  if (value := _positive(text)) > 1:
    raise ValueError(text)
  return value


def _whole(text: str) -> int:
  if (value := int(text)) < 0:
    raise ValueError(text)
  return value


def _count(text: str) -> int:
  if (value := int(text)) < 1:
    raise ValueError(text)
  return value


def _several(kind: Callable) -> Callable:
  return lambda text: tuple(map(kind, text.split()))


_TEXT = str, 'text'
_NUMBER = _positive, 'a number above 0'
_COUNT = _count, 'a whole number above 0'
_COUNTS = _several(_count), 'whole numbers above 0 with spaces between them'
_SEEDS = _several(_whole), 'whole numbers with spaces between them'
_PARTS = _several(_part), 'parts of 1, not percent, with spaces between them'
_NUMBERS = _several(_positive), 'numbers above 0 with spaces between them'

_COMMITS = _several(lambda text: None if text == '-' else text), 'commits'

# What a cell is read by, and what it has to be.
COLUMNS: dict[str, tuple[Callable, str]] = {
  **{'label': _TEXT, 'config': _TEXT, 'group': _TEXT, 'depths': _COUNTS},
  **{'width': _NUMBER, 'resolution': _COUNT, 'epochs': _NUMBER},
  **{'compute': _NUMBER, 'macs': _COUNT, 'params': _COUNT},
  **{'step_ms': _NUMBER, 'tpu_ms': _NUMBER, 'seeds': _SEEDS},
  **{'error': _PARTS, 'loss': _NUMBERS, 'train_loss': _NUMBERS},
  **{'recipe': _TEXT, 'commits': _COMMITS},
}
_MAY_BE_EMPTY = {
  **{'config': '', 'group': '', 'depths': (), 'step_ms': None},
  **{'tpu_ms': None, 'loss': (), 'train_loss': (), 'recipe': ''},
  'commits': (),
}
_A_SEED_EACH = ('error', 'loss', 'train_loss')
# Lines that are equal in all of them are of one design.
_DESIGN = (
  *('group', 'recipe', 'depths', 'width', 'resolution', 'epochs', 'compute'),
  *('macs', 'params'),
)


def write_table(path: Path, fits: Mapping[str, Mapping]) -> None:
  """Writes a line a point; of several seeds, values are joined by spaces."""
  with open(path, 'w', newline='') as file:
    rows = csv.writer(file, lineterminator='\n')
    rows.writerow(('fit', *COLUMNS))
    for name, fit in fits.items():
      for point in fit['points']:
        rows.writerow((name, *(_cell(point[column]) for column in COLUMNS)))


def _cell(value) -> object:
  if isinstance(value, list | tuple):
    return ' '.join('-' if part is None else str(part) for part in value)
  return '' if value is None else value


def read_table(path: str) -> dict[str, list[Point]]:
  """Returns the points of a file, cheapest first, by the name of their fit.

  Raises:
    UsageError: it cannot be read, or a cell is not what its column holds.
  """
  fits: dict[str, list[Point]] = {}
  try:
    with open(path, encoding='utf-8', newline='') as file:
      for name, point in _points(csv.DictReader(file), path):
        fits.setdefault(name, []).append(point)
  except (OSError, UnicodeDecodeError, csv.Error) as error:
    reason = getattr(error, 'strerror', None) or error
    raise UsageError(f'Cannot read {path!r}: {reason} (--points).') from error
  if not fits:
    raise UsageError(f'{path!r} holds no points (--points).')
  return {
    name: sorted(points, key=lambda point: point.compute)
    for name, points in fits.items()
  }


def _points(rows: csv.DictReader, path: str) -> Iterator[tuple[str, Point]]:
  _check_columns(rows.fieldnames or (), path)
  lines: dict[tuple, int] = {}
  for cells in rows:
    where = f'{path!r}, line {rows.line_num}:'
    fit, point = cells.get('fit') or 'points', _point(cells, where)
    for key in _keys(point):
      if before := lines.get((fit, key)):
        raise UsageError(
          f'{where} equal to line {before} in {key[0]}: a design has one line, '
          'with a value for each of its seeds, and a recipe of its own where '
          'nothing else tells it apart (--points).'
        )
      lines[fit, key] = rows.line_num
    yield fit, point


def _check_columns(names: Sequence[str], path: str) -> None:
  missing = COLUMNS.keys() - _MAY_BE_EMPTY.keys() - set(names)
  if missing:
    raise UsageError(
      f'{path!r} has no column {", ".join(sorted(missing))}: it takes the '
      'fit.csv of an earlier fit, or one made like it (--points).'
    )
  for name in names:
    if name not in ('fit', *COLUMNS):
      raise unknown('column', name, COLUMNS, f'--points={path}')


def _keys(point: Point) -> Iterator[tuple]:
  """Yields what no other design has, each with a name."""
  if point.config:
    yield 'config', point.config
  else:
    yield 'label', point.label
    shown = ', '.join(name for name in _DESIGN if getattr(point, name))
    yield shown, *(getattr(point, name) for name in _DESIGN)


def _point(cells: Cells, where: str) -> Point:
  values = {name: _value(cells.get(name, ''), name, where) for name in COLUMNS}
  count = len(values['seeds'])
  if len(set(values['seeds'])) < count:
    raise UsageError(
      f'{where} seeds={cells["seeds"]!r} has one twice (--points).'
    )
  for name in _A_SEED_EACH:
    if len(values[name]) != count and (values[name] or name == 'error'):
      raise UsageError(
        f'{where} {count} seeds and {len(values[name])} of {name}: each seed '
        'has one (--points).'
      )
  return Point(**values)


def _value(text: str | None, name: str, where: str):
  if text is None:
    raise UsageError(f'{where} no cell for {name} is left (--points).')
  if not text and name in _MAY_BE_EMPTY:
    return _MAY_BE_EMPTY[name]
  read, expects = COLUMNS[name]
  try:
    value = read(text)
  except ValueError:
    value = ()
  if value in ((), ''):
    raise UsageError(f'{where} {name}={text!r} is not {expects} (--points).')
  return value
