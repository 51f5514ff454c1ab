"""What a person sees of a run: a live line, or plain lines in a log."""

import datetime
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


def format_row(row: Mapping[str, int | float], total_steps: int) -> str:
  """Returns one line of the numbers that a row of metrics holds."""
  width = len(str(total_steps))
  parts = [f'step {row["step"]:{width}d}/{total_steps}']
  parts.append(f'epoch {row["epoch"]:6.2f}')
  for name, text in (
    ('train/loss', 'loss {:.4f}'),
    ('train/top1', 'top1 {:6.2%}'),
    ('eval/loss', 'validation loss {:.4f}'),
    ('eval/top1', 'top1 {:6.2%}'),
    ('lr', 'lr {:.4g}'),
    ('resolution', '{:d} px'),
    ('images_per_second', '{:,.0f} images/s'),
  ):
    if name in row:
      parts.append(text.format(row[name]))
  if 'seconds_left' in row:
    left = datetime.timedelta(seconds=round(row['seconds_left']))
    parts.append(f'{left} left')
  return '  '.join(parts)


class LiveProgress:
  """Lines for the rows; on a terminal, a bar that moves with each step."""

  def __init__(self, total_steps: int, start: int, console: Console):
    """Shows the bar, if there is a terminal to show it on."""
    self._total = total_steps
    self._console = console
    self._bar = Progress(
      TextColumn('{task.description}'),
      BarColumn(bar_width=None),
      TextColumn('{task.completed}/{task.total}'),
      console=console,
      transient=True,
      disable=not console.is_terminal,
    )
    self._task = self._bar.add_task(
      'compiling', total=total_steps, completed=start
    )
    self._bar.start()

  def step(self, done: int, description: str = 'training') -> None:
    """Moves the bar."""
    self._bar.update(self._task, completed=done, description=description)

  def row(self, row: Mapping[str, int | float]) -> None:
    """Prints a row of metrics."""
    self.say(format_row(row, self._total))

  def say(self, line: str) -> None:
    """Prints a line, whole, whatever the terminal's width."""
    self._console.print(line, soft_wrap=True, highlight=False, markup=False)

  def close(self) -> None:
    """Takes the bar away."""
    self._bar.stop()
