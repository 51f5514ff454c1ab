"""The saved steps of a run: which are intact, which is best, which to keep."""

import contextlib
import logging
import os
import re
from collections.abc import Iterator

import jax
from etils import epath

from resflax.errors import StorageError, first_line
from resflax.training.manifest import (
  INCOMPLETE,
  damage,
  read_manifest,
  write_manifest,
)

METRIC = 'eval/top1'
NOT_EVALUATED = {METRIC: -1.0}  # loses against every accuracy
MOST_SKIPPED = 3  # newest steps that may be damaged
ASIDE = 'damaged'  # folder for them, for people to look at

_log = logging.getLogger(__name__)


class SavedSteps:
  """The steps below `workdir/checkpoints` that have a manifest."""

  def __init__(self, workdir: epath.Path, *, read_only: bool):
    """Looks which there are.

    Args:
      workdir: of the run.
      read_only: move and delete nothing.
    """
    self._workdir, self._read_only = workdir, read_only
    self.folder = workdir / 'checkpoints'
    self._intact: set[int] = set()
    with one_line('open'):
      self._metrics = {step: self._metrics_of(step) for step in self._found()}

  def _found(self) -> list[int]:
    if not self.folder.exists():
      return []
    names = (path.name for path in self.folder.iterdir())
    return sorted(int(name) for name in names if name.isdecimal())

  def _metrics_of(self, step: int) -> dict | None:
    """Those in a manifest; None where there is no good one."""
    manifest = read_manifest(self.folder / str(step))
    return manifest and manifest['metrics']

  @property
  def newest(self) -> int:
    """The newest step with a manifest; 0 without any."""
    return max((s for s, m in dict(self._metrics).items() if m), default=0)

  def trust(self, step: int | None) -> None:
    """Takes another process's word that a step is intact."""
    self._metrics = {found: self._metrics_of(found) for found in self._found()}
    self._intact.add(step)

  def add(self, step: int, metrics: dict | None) -> None:
    """Makes a step count that is on disk as a whole."""
    metrics = {**NOT_EVALUATED, **(metrics or {})}
    if jax.process_index() == 0:
      write_manifest(self.folder / str(step), metrics)
    self._metrics[step] = metrics

  def is_evaluated(self, step: int) -> bool:
    """Whether a step was evaluated before it was saved."""
    return self._metrics[step][METRIC] >= 0

  def best(self) -> tuple[int | None, float]:
    """Returns the best step on the validation split and its accuracy.

    (None, -1) where none was evaluated.
    """
    found = [(m[METRIC], step) for step, m in self._metrics.items() if m]
    accuracy, step = max(found, default=(-1.0, None))
    return (step if accuracy >= 0 else None), accuracy

  def damage(self, step: int) -> str | None:
    """Returns what is wrong with a step, or None; reads each once."""
    wrong = None
    if step not in self._intact:
      with one_line('read'):
        wrong = damage(self.folder / str(step))
      if wrong is None:
        self._intact.add(step)
    return wrong

  def latest(self) -> int | None:
    """Returns the newest step that is intact, or None where none was saved.

    Newer ones are logged and, unless this is read-only, set aside.

    Raises:
      StorageError: none is intact, or more are damaged than may be skipped.
    """
    bad: dict[int, str] = {}
    steps = sorted(self._metrics, reverse=True)
    for step in steps[: MOST_SKIPPED + 1]:
      wrong = self.damage(step)
      if wrong is None:
        self._set_aside(bad)
        return step
      bad[step] = wrong
      _log.warning('skipped checkpoint %d: %s', step, wrong)
    if len(bad) == 1 and INCOMPLETE in bad.values():  # the first save ever
      self._set_aside(bad)
    elif bad:
      listed = '; '.join(f'{step}: {wrong}' for step, wrong in bad.items())
      raise StorageError(
        f'The newest {len(bad)} of {len(steps)} checkpoints in '
        f'{str(self.folder)!r} are damaged ({listed}): put back a copy, delete '
        'them to go on from an older one, or begin anew in another --workdir.'
      )
    return None

  def _set_aside(self, bad: dict[int, str]) -> None:
    """Moves steps out of the way of those that will be saved again."""
    for step in bad:
      del self._metrics[step]
      if not self._read_only and jax.process_index() == 0:
        with one_line('set aside'):
          target = self._workdir / ASIDE / str(step)
          if target.exists():
            target.rmtree()
          target.parent.mkdir(exist_ok=True)
          (self.folder / str(step)).rename(target)

  def delete_superseded(self, last: int, every: int | None) -> None:
    """Deletes all but the best, the newest few and each so many steps.

    Args:
      last: how many of the newest to keep.
      every: keep those whose step is a multiple of it.
    """
    saved = sorted(step for step, metrics in self._metrics.items() if metrics)
    kept = {*saved[-last:], self.best()[0]}
    for step in saved:
      if step not in kept and not (every and step % every == 0):
        self._delete(self.folder / str(step))
        del self._metrics[step]

  def _delete(self, step: epath.Path) -> None:
    """Deletes the manifest last: the next start knows what is cut off here."""
    if jax.process_index() == 0 and step.exists():
      for path in step.iterdir():
        if path.is_dir():
          path.rmtree()
      step.rmtree()


@contextlib.contextmanager
def one_line(verb: str) -> Iterator[None]:
  """Makes a StorageError of what fails inside: `Cannot {verb} a checkpoint`."""
  try:
    yield
  except StorageError:
    raise
  except Exception as error:
    raise StorageError(
      f'Cannot {verb} a checkpoint: {_reason(error)}.'
    ) from error


def _reason(error: Exception) -> str:
  """What the file system says, without what TensorStore adds to it."""
  code = re.search(r"os_error_code='(\d+)'", str(error))
  line = os.strerror(int(code[1])) if code else first_line(error)
  return line.rstrip('.')
