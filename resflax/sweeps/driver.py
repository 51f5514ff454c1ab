"""Getting the runs of a sweep done.

The truth is the run folders alone: what is done is left, what was cut off goes
on, what failed is tried again. So the same command continues a sweep, by the
same launcher or another.
"""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from resflax.errors import (
  NotFiniteError,
  PreemptedError,
  ResflaxError,
  StorageError,
  UsageError,
)
from resflax.sweeps.attempt import LEASE, LOG, is_done
from resflax.sweeps.board import Board
from resflax.sweeps.grid import Planned
from resflax.sweeps.launchers.job import Job, Launcher
from resflax.sweeps.lease import HeldError, beat, held, is_held
from resflax.sweeps.standing import (
  STOPPED,
  collect,
  exit_code,
  saved_step,
)
from resflax.training.interruption import preemptible

ATTEMPTS = 2
_SAME_AGAIN = (NotFiniteError.exit_code, UsageError.exit_code)


def run_sweep(
  runs: Sequence[Planned],
  config: str,
  workdir: str,
  launch: Callable[[], Launcher],
  *,
  attempts: int = ATTEMPTS,
  module: str = 'scripts.train',
) -> list[dict]:
  """Trains what is not done, and returns what `standing.collect` does.

  Args:
    runs: of the sweep.
    config: the config file, without an argument.
    workdir: gets a folder a run.
    launch: makes the launcher, once the folder is this driver's alone.
    attempts: in a row that save nothing new, until a run has failed.
    module: that trains.

  Raises:
    UsageError: another sweep is at work there, or the launcher refuses.
    PreemptedError: this process was asked to stop.
    ResflaxError: runs have failed; all others are done.
  """
  folder = Path(workdir)
  jobs = {
    run.name: _job(run, config, folder / run.name, module) for run in runs
  }
  with _alone(folder) as lease:
    left = [job for job in jobs.values() if not is_done(job.folder)]
    print(f'{len(runs) - len(left)} of {len(runs)} runs are done', flush=True)
    failed = _work(left, launch(), Board(runs, folder), lease, attempts)
  rows = collect(runs, workdir)
  if failed:
    raise ResflaxError(
      f'{len(failed)} of {len(runs)} runs failed, such as {failed[0]}: see '
      f'{folder / failed[0] / LOG}.'
    )
  return rows


def _work(jobs, launcher, board, lease: int, attempts: int) -> list[str]:
  """Does all jobs; returns the names of those that have failed."""
  queue = _Queue(jobs, launcher, attempts)
  try:
    with preemptible(), board:
      while queue.turn():
        beat(lease)
        board.refresh()
        time.sleep(launcher.poll_s)
  except PreemptedError as error:
    print('stopping: runs are told, and may save first', flush=True)
    raise PreemptedError(
      f'Interrupted. {launcher.stop()}; the same command goes on.'
    ) from error
  except BaseException:
    launcher.stop()
    raise
  launcher.stop()
  return queue.failed


class _Queue:
  """What is left to do, and who does it.

  Attributes:
    failed: names of the runs that are given up.
  """

  def __init__(self, jobs: Sequence[Job], launcher: Launcher, attempts: int):
    self._launcher, self._attempts = launcher, attempts
    self._jobs = {job.name: job for job in jobs}
    # What an earlier driver has queued is followed.
    self._waiting = [n for n in self._jobs if n not in set(launcher.running)]
    self._elsewhere: list[str] = []  # at work, by no process of this launcher
    self._idle: Counter[str] = Counter()  # attempts in a row without a save
    self._saved = {job.name: saved_step(job.folder) for job in jobs}
    self.failed: list[str] = []

  def turn(self) -> bool:
    """Looks what has ended, starts what can be; says whether work is left."""
    ended = [n for n in self._launcher.ended() if n in self._jobs]
    ended += [n for n in self._elsewhere if not self._is_held(n)]
    self._elsewhere = [n for n in self._elsewhere if n not in ended]
    for name in ended:
      self._judge(name)
    self._start()
    return bool(self._waiting or self._elsewhere or self._launcher.running)

  def _judge(self, name: str) -> None:
    """Decides what becomes of a run whose process is gone."""
    folder = self._jobs[name].folder
    if is_done(folder):
      return
    if self._is_held(name):  # what was started is gone, what trains is not
      self._elsewhere.append(name)
      return
    code, saved = exit_code(folder), saved_step(folder)
    if code not in STOPPED:  # or it did as it was told
      gained = saved > self._saved[name]
      self._idle[name] = 0 if gained else self._idle[name] + 1
    self._saved[name] = saved
    if code in _SAME_AGAIN or self._idle[name] >= self._attempts:
      self.failed.append(name)
    else:
      self._waiting.append(name)

  def _start(self) -> None:
    """Hands over as many as there is room for, none that is at work."""
    ready = []
    while self._waiting and len(ready) < self._launcher.room:
      name = self._waiting.pop(0)
      busy = self._is_held(name)
      (self._elsewhere if busy else ready).append(name)
    if ready:
      self._launcher.start([self._jobs[name] for name in ready])

  def _is_held(self, name: str) -> bool:
    return is_held(self._jobs[name].folder / LEASE)


def _job(run: Planned, config: str, folder: Path, module: str) -> Job:
  argument = f':{run.config_arg}' if run.config_arg else ''
  attempt = (sys.executable, '-m', 'resflax.sweeps.attempt', str(folder))
  train = (sys.executable, '-m', module, f'--config={config}{argument}')
  command = (*attempt, *train, *run.flags, f'--workdir={folder}')
  return Job(run.name, folder, command)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
  """Holds the lease of the sweep's folder, which it makes.

  Raises:
    StorageError: it cannot be made.
    UsageError: another sweep is at work there.
  """
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise StorageError(
      f"Cannot write to '{folder}': {error.strerror or error} (--workdir)."
    ) from error
  try:
    with held(folder / LEASE) as lease:
      yield lease
  except HeldError as error:
    raise UsageError(
      f'Another sweep is at work in {folder} (--workdir).'
    ) from error
