"""A fit in tables and sentences, for the terminal."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from resflax.sweeps.telling import (
  law_columns,
  law_lines,
  law_rows,
  measure,
  named,
  pair_line,
)

_TIMES = ('step_ms', 'tpu_ms')


def show(name: str, found: dict) -> None:
  """Prints a fit's laws, what it predicts, its frontier and its pairs."""
  console = Console(width=None if sys.stdout.isatty() else 120)
  laws = named(found['laws'])
  if not all('refused' in entry for entry in laws.values()):
    table = Table(title=f'{name}: {found["metric"]}', box=box.SIMPLE)
    for column in law_columns(found['level']):
      table.add_column(column, no_wrap=True)
    for row in law_rows(laws):
      table.add_row(*row)
    console.print(table)
  for line in law_lines(laws, found['level'], found['metric']):
    console.print(line, highlight=False)
  console.print(_frontier(found))
  for row in found.get('depth_or_width', ()):
    console.print(pair_line(row), highlight=False)


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
      measure(point['mean'], found['metric']),
    )
  return table
