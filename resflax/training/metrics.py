"""Where the numbers of a run go: JSON lines, TensorBoard, W&B."""

import json
from collections.abc import Mapping, Sequence

from etils import epath

from resflax.errors import UsageError
from resflax.parallel import distributed


def last_time(workdir: epath.PathLike, step: int) -> float | None:
  """Returns the time of the newest row behind a step, None without any."""
  times = []
  for part in (epath.Path(workdir) / 'metrics').glob('*.jsonl'):
    if int(part.stem) >= step:
      rows, _, _ = part.read_text().rpartition('\n')  # the last may be torn
      times += [json.loads(row)['time'] for row in rows.splitlines()[-1:]]
  return max(times, default=None)


class JsonLines:
  """Rows in numbered parts, one part between two checkpoints.

  A part is named by the step of the checkpoint it follows. So a run that
  comes back at a step drops the parts from there on, and what is left holds
  each row once, whenever the run before was cut off.
  """

  def __init__(self, workdir: epath.PathLike, step: int):
    """Opens the part behind `step` and drops it and its followers."""
    self._folder = epath.Path(workdir) / 'metrics'
    self._folder.mkdir(parents=True, exist_ok=True)
    for part in self._folder.glob('*.jsonl'):
      if int(part.stem) >= step:
        part.unlink()
    self.checkpoint(step)

  def checkpoint(self, step: int) -> None:
    """Begins a new part: the rows so far belong to the state at `step`."""
    self._part = self._folder / f'{step:09d}.jsonl'
    self._lines: list[str] = []

  def write(self, row: Mapping[str, int | float]) -> None:
    """Adds a row. The whole part is written, for gs:// cannot append."""
    self._lines.append(json.dumps(row) + '\n')
    self._part.write_text(''.join(self._lines))

  def close(self) -> None:
    """Does nothing: every row is on disk already."""


class TensorBoard:
  """Event files, without TensorFlow."""

  def __init__(self, workdir: epath.PathLike, step: int):
    """Opens a new event file that hides events after `step`."""
    from tensorboardX import SummaryWriter

    folder = epath.Path(workdir) / 'tensorboard'
    self._writer = SummaryWriter(str(folder), purge_step=step + 1)

  def checkpoint(self, step: int) -> None:
    """Makes sure that the rows so far can be read."""
    self._writer.flush()

  def write(self, row: Mapping[str, int | float]) -> None:
    """Adds a row as scalars."""
    for name, value in row.items():
      if name != 'step':
        self._writer.add_scalar(name, value, row['step'])

  def close(self) -> None:
    """Flushes and closes the file."""
    self._writer.close()


class Wandb:
  """Weights & Biases, where it is installed and logged in."""

  def __init__(self, workdir: epath.PathLike, step: int):
    """Opens or resumes the run that is named like its folder."""
    try:
      import wandb
    except ImportError as error:
      raise UsageError(
        "config.writers holds 'wandb', which is not installed: run "
        "`pip install -e '.[wandb]'` or take it out."
      ) from error
    name = epath.Path(workdir).name
    # Ids are unique in a project; `allow` continues the one of this name.
    self._run = wandb.init(
      project='resflax', id=name, name=name, dir=str(workdir), resume='allow'
    )

  def checkpoint(self, step: int) -> None:
    """Does nothing: rows are sent as they come."""

  def write(self, row: Mapping[str, int | float]) -> None:
    """Adds a row."""
    self._run.log(dict(row), step=row['step'])

  def close(self) -> None:
    """Sends what is left."""
    self._run.finish()


WRITERS = {'tensorboard': TensorBoard, 'wandb': Wandb}


class Metrics:
  """All writers of a run behind one face."""

  def __init__(
    self, workdir: epath.PathLike, step: int, writers: Sequence[str]
  ):
    """Opens the JSON lines and the named writers at `step`.

    Of several processes, the main one writes.
    """
    self._writers = []
    if distributed.is_main():
      self._writers = [
        JsonLines(workdir, step),
        *(WRITERS[name](workdir, step) for name in writers),
      ]

  def write(self, row: Mapping[str, int | float]) -> None:
    """Adds a row, which holds `step`, to each."""
    for writer in self._writers:
      writer.write(row)

  def checkpoint(self, step: int) -> None:
    """Says that the state at `step` is being saved."""
    for writer in self._writers:
      writer.checkpoint(step)

  def close(self) -> None:
    """Closes each."""
    for writer in self._writers:
      writer.close()
