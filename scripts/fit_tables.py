"""A fit in tables and sentences, for the terminal."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

_TIMES = ('step_ms', 'tpu_ms')


def show(name: str, found: dict) -> None:
  """Prints a fit's laws, what it predicts, its frontier and its pairs."""
  console = Console(width=None if sys.stdout.isatty() else 120)
  level, laws = f'{found["level"]:.0%}', _named(found)
  if not all('refused' in entry for entry in laws.values()):
    console.print(_laws(f'{name}: {found["metric"]}', laws, level))
  for law, entry in laws.items():
    if 'refused' in entry:
      console.print(f'{law}: no law: {entry["refused"]}', highlight=False)
    if 'held_out_refused' in entry:
      reason = entry['held_out_refused']
      console.print(f'{law}: nothing held out: {reason}', highlight=False)
    for row in entry.get('held_out', ()):
      console.print(_prediction(law, row, level), highlight=False)
  console.print(_frontier(found))
  for row in found.get('depth_or_width', ()):
    console.print(_pair(row), highlight=False)


def _named(found: dict) -> dict[str, dict]:
  """Returns the laws by name; those of the same points share a line."""
  names: dict[object, list[str]] = {}
  for name, entry in found['laws'].items():
    same = tuple(sorted(entry['points'])) or name
    names.setdefault(same, []).append(name)
  return {' = '.join(n): found['laws'][n[0]] for n in names.values()}


def _laws(title: str, laws: dict[str, dict], level: str) -> Table:
  """A row a parameter; what belongs to the law stands in its first."""
  table = Table(title=title, box=box.SIMPLE)
  for column in (
    *('law', 'points', 'decades', '', 'value', f'{level}, profile'),
    *('BCa', 'refused', 'misfit p'),
  ):
    table.add_column(column, no_wrap=True)
  for law, entry in laws.items():
    if 'refused' in entry:
      continue
    misfit = entry['lack_of_fit_p']
    before = law, str(len(entry['points'])), f'{entry["decades"]:.2f}'
    after = (
      f'{entry["refits_refused"]:.1%}',
      '' if misfit is None else f'{misfit:.2g}',
    )
    for parameter in ('exponent', 'floor', 'scale'):
      value = entry[parameter]
      table.add_row(
        *(*before, parameter, f'{value["value"]:.3g}'),
        *(_range(value[kind]) for kind in ('interval', 'bca')),
        *after,
      )
      before, after = ('',) * 3, ('',) * 2
  return table


def _prediction(law: str, row: dict, percent: str) -> str:
  verdict = 'inside' if row['inside'] else 'OUTSIDE: the law breaks'
  return (
    f'{law} without {row["label"]} says {row["predicted"]:.4g} '
    f'({percent} {_range(row["interval"])}); it reached '
    f'{row["measured"]:.4g}, {verdict}'
  )


def _frontier(found: dict) -> Table:
  table = Table(title='frontier of compute', box=box.SIMPLE)
  for name in ('label', 'blocks', 'width', 'px', 'epochs', 'FLOPs', 'GMAC'):
    table.add_column(name)
  table.add_column('step, ms')
  table.add_column('TPU, ms')
  table.add_column(found['metric'])
  for index in found['pareto']['compute']:
    point = found['points'][index]
    table.add_row(
      *(point['label'], '-'.join(map(str, point['depths']))),
      *(f'{point["width"]:g}', str(point['resolution'])),
      *(f'{point["epochs"]:.3g}', f'{point["compute"]:.3g}'),
      f'{point["macs"] / 1e9:.3g}',
      *(f'{point[key]:.3g}' if point[key] else '' for key in _TIMES),
      f'{point["mean"]:.4g}',
    )
  return table


def _pair(row: dict) -> str:
  words = f'{row["wide"]} minus {row["deep"]}, {row["epochs"]:.3g} epochs: '
  held_out, half = row['held_out']
  words += f'held-out cross-entropy {held_out:+.4f} ± {half:.4f}, '
  if row['train']:
    words += 'on training images {:+.4f} ± {:.4f}, '.format(*row['train'])
  else:
    words += 'on training images not measured (--train_loss), '
  return words + f'so grow {row["grow"]}'


def _range(ends: list[float]) -> str:
  return f'{ends[0]:.3g} to {ends[1]:.3g}'
