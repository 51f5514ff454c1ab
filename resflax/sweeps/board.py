"""What a person sees of a sweep: a live table, or plain lines in a log."""

import collections
import contextlib
import datetime
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from resflax.sweeps.grid import Planned
from resflax.sweeps.standing import keep, summary

_EVERY_S = 2.0  # a look at the folders
_TOLD_S = 60.0  # a line of what runs, in a log
_BESIDE = 6  # lines of a terminal that are no rows
# What is wanted is above where there are more rows than lines.
_ORDER = ('running', 'failed', 'cut off', 'stopped', 'waiting', 'done')


def console() -> Console:
  """Returns one that cuts no column in a pipe, which has no width."""
  return Console(width=None if sys.stdout.isatty() else 120)


def counts(rows: Sequence[Mapping]) -> str:
  """Says how many runs are in which state."""
  found = collections.Counter(row['state'] for row in rows)
  return ', '.join(f'{count} {state}' for state, count in found.items())


def table(rows: Sequence[Mapping], lines: int | None = None) -> Table:
  """Returns a table of runs.

  Args:
    rows: of `standing.summary`.
    lines: at most; those at work are shown first.
  """
  shown = list(rows)
  if lines is not None and len(rows) > lines:
    shown = sorted(rows, key=lambda row: _ORDER.index(row['state']))[:lines]
  made = Table(box=box.SIMPLE, caption=counts(rows), caption_justify='left')
  made.add_column('run', no_wrap=True)
  made.add_column('state')
  for column in ('step', 'validation top-1, %', 'left'):
    made.add_column(column, justify='right')
  for row in shown:
    made.add_row(row['name'], row['state'], *_cells(row))
  return made


class Board:
  """Follows the runs of a sweep by their folders.

  Args:
    runs: of the sweep.
    folder: of the sweep.
  """

  def __init__(self, runs: Sequence[Planned], folder: Path):
    self._runs, self._folder = runs, folder
    self._rows = {run.name: summary(run, folder / run.name) for run in runs}
    self._console = console()
    self._live = Live(console=self._console, auto_refresh=False, transient=True)
    self._looked = self._told = time.monotonic()

  def __enter__(self) -> 'Board':
    if self._console.is_terminal:
      self._live.start()
    return self

  def __exit__(self, *_) -> None:
    self._look()
    self._live.stop()

  def refresh(self) -> None:
    """Looks at the folders, if it is time."""
    if time.monotonic() - self._looked > _EVERY_S:
      self._look()

  def _look(self) -> None:
    before = {name: row['state'] for name, row in self._rows.items()}
    for run in self._runs:
      if before[run.name] != 'done':
        self._rows[run.name] = summary(run, self._folder / run.name)
    rows = list(self._rows.values())
    changed = [row for row in rows if row['state'] != before[row['name']]]
    if any(row['state'] == 'done' for row in changed):
      keep(rows, self._folder)
    if self._console.is_terminal:
      lines = max(1, self._console.height - _BESIDE)
      self._live.update(table(rows, lines), refresh=True)
    else:
      self._tell(rows, changed)
    self._looked = time.monotonic()

  def _tell(self, rows: Sequence[Mapping], changed: list[Mapping]) -> None:
    """Prints what has changed, and now and then what is at work."""
    if time.monotonic() - self._told > _TOLD_S:
      self._told = time.monotonic()
      at_work = (row for row in rows if row['state'] == 'running')
      changed += [row for row in at_work if row not in changed]
    for row in changed:
      with contextlib.suppress(BrokenPipeError):
        print(_line(row), flush=True)


def _cells(row: Mapping) -> tuple[str, str, str]:
  step, total, left = map(row.get, ('step', 'total_steps', 'seconds_left'))
  return (
    f'{step}/{total}' if total else '',
    f'{row["eval/top1"]:.2%}'[:-1] if 'eval/top1' in row else '',
    '' if left is None else str(datetime.timedelta(seconds=round(left))),
  )


def _line(row: Mapping) -> str:
  words = f'{row["state"]} {row["name"]}'
  if row['state'] == 'done' and 'test/top1' in row:
    return f'{words} test top1 {row["test/top1"]:.2%}, {row["seconds"]:.0f} s'
  step, top1, left = _cells(row)
  parts = (
    f'step {step}' if step else '',
    f'validation top1 {top1}%' if top1 else '',
    f'{left} left' if left else '',
    row.get('reason', ''),
  )
  return ' '.join([words, ', '.join(filter(None, parts))]).strip()
