"""Getting the runs of a sweep done on this machine.

The truth is the run folders alone: what is done is left, what was cut off goes
on, what failed is tried again. So the same command continues a sweep.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from resflax.data.ahead import cpus
from resflax.errors import ResflaxError, UsageError
from resflax.report.read import read_run
from resflax.sweeps.grid import Planned

ATTEMPTS = 2
_POLL_S = 0.5
# Of a finished run, what a table of the sweep is made of.
_KEPT = ('test/top1', 'test/loss', 'eval/top1', 'eval/loss', 'train/loss')


def run_sweep(
  runs: Sequence[Planned], config: str, workdir: str, jobs: int = 1
) -> list[dict]:
  """Trains what is not done, `jobs` at once, and returns what `collect` does.

  Each job has its share of the cores.

  Args:
    runs: of the sweep.
    config: the config file, without an argument.
    workdir: gets a folder a run.
    jobs: runs at once.

  Raises:
    UsageError: another sweep is at work there, or more jobs than cores.
    ResflaxError: a run failed twice; all others are done.
  """
  if jobs > cpus():
    raise UsageError(f'--jobs={jobs}: this machine has {cpus()} cores.')
  folder = Path(workdir)
  folder.mkdir(parents=True, exist_ok=True)
  with _locked(folder):
    left = [run for run in runs if not _is_done(folder / run.name)]
    print(f'{len(runs) - len(left)} of {len(runs)} runs are done', flush=True)
    failed = _Jobs(folder, config, jobs).work(left)
  rows = collect(runs, workdir)
  if failed:
    raise ResflaxError(
      f'{len(failed)} of {len(runs)} runs failed {ATTEMPTS} times, such as '
      f'{failed[0]}: see {folder / failed[0] / "log.txt"}.'
    )
  return rows


def collect(runs: Sequence[Planned], workdir: str) -> list[dict]:
  """Returns a row a run; keeps those of finished ones in `runs.jsonl`."""
  folder = Path(workdir)
  rows = [summary(run, folder / run.name) for run in runs]
  lines = [json.dumps(row) + '\n' for row in rows if row['state'] == 'done']
  if lines:
    (folder / 'runs.jsonl').write_text(''.join(lines))
  return rows


def summary(run: Planned, folder: Path) -> dict:
  """Returns what is known of a run: its fields, state and newest metrics."""
  row = {'label': run.label, 'against': run.against, 'name': run.name}
  row['fields'] = dict(run.fields)
  if not (folder / 'config.json').exists():
    return {**row, 'state': 'waiting'}
  found = read_run(folder)
  newest = {k: found.last(k)[k] for k in _KEPT if k in found.last(k)}
  seconds = found.last('time').get('time')
  state = found.status.get('state', 'waiting')
  return {**row, 'state': state, **newest, 'seconds': seconds}


class _Jobs:
  """Commands that run side by side, each on cores of its own."""

  def __init__(self, folder: Path, config: str, jobs: int):
    self._folder, self._config = folder, config
    cores = sorted(os.sched_getaffinity(0))
    self._free = [cores[i::jobs] for i in range(jobs)]
    self._running: dict[subprocess.Popen, tuple[Planned, list[int]]] = {}
    self._attempts: dict[str, int] = {}

  def work(self, runs: Sequence[Planned]) -> list[str]:
    """Does them all; returns the names of those that failed for good."""
    waiting, failed = list(runs), []
    try:
      while waiting or self._running:
        while waiting and self._free:
          self._start(waiting.pop(0))
        time.sleep(_POLL_S)
        for run in self._ended():
          if self._attempts[run.name] < ATTEMPTS:
            waiting.append(run)
          else:
            failed.append(run.name)
    finally:
      for process in self._running:  # they save, and go on the next time
        process.send_signal(signal.SIGTERM)
      for process in self._running:
        process.wait()
    return failed

  def _start(self, run: Planned) -> None:
    folder, cores = self._folder / run.name, self._free.pop()
    folder.mkdir(exist_ok=True)
    argument = f':{run.config_arg}' if run.config_arg else ''
    command = [sys.executable, '-m', 'scripts.train']
    command += [f'--config={self._config}{argument}', *run.flags]
    with open(folder / 'log.txt', 'ab') as log, _on(cores):
      process = subprocess.Popen(
        [*command, f'--workdir={folder}'],
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for this process to pass on
      )
    self._running[process] = run, cores
    self._attempts[run.name] = self._attempts.get(run.name, 0) + 1

  def _ended(self) -> Iterator[Planned]:
    """Yields the runs that have ended without being done."""
    for process in [p for p in self._running if p.poll() is not None]:
      run, cores = self._running.pop(process)
      self._free.append(cores)
      row = summary(run, self._folder / run.name)
      print(_line(row), flush=True)
      if row['state'] != 'done':
        yield run


def _line(row: dict) -> str:
  words = [row['state'], row['name']]
  if 'test/top1' in row:
    words.append(f'test top1 {row["test/top1"]:.2%}, {row["seconds"]:.0f} s')
  return ' '.join(words)


def _is_done(folder: Path) -> bool:
  status = folder / 'status.json'
  return status.exists() and json.loads(status.read_text())['state'] == 'done'


@contextlib.contextmanager
def _on(cores: list[int]) -> Iterator[None]:
  """Lends this thread's cores to the processes that it starts inside.

  They inherit them. Setting them between fork and exec would run Python in a
  fork of a process with threads.
  """
  before = os.sched_getaffinity(0)
  os.sched_setaffinity(0, cores)
  try:
    yield
  finally:
    os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
  with open(folder / '.lock', 'w') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise UsageError(
        f'Another sweep is at work in {folder} (--workdir).'
      ) from error
    yield
