"""Runs side by side on this machine, each on cores and GPUs of its own."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from resflax.errors import UsageError
from resflax.sweeps.attempt import LOG
from resflax.sweeps.launchers.job import Job, Settings

_GPUS = {'cuda', 'gpu', 'rocm'}


class _Share(NamedTuple):
  """Of the machine, what one run has."""

  cores: list[int]
  gpus: list[str]


class Local:
  """Divides the machine by the number of runs at once."""

  poll_s = 0.5

  def __init__(self, settings: Settings):
    self.check(settings)
    cores, gpus = _machine()
    jobs = settings.jobs or 1
    self._free = [_Share(cores[i::jobs], gpus[i::jobs]) for i in range(jobs)]
    self._running: dict[str, tuple[subprocess.Popen, _Share]] = {}

  @staticmethod
  def check(settings: Settings) -> None:
    """Refuses settings of others, and more jobs than cores or GPUs.

    Raises:
      UsageError: it is so.
    """
    settings.refuse('local', 'cpus', 'gpus', 'ray_address', 'sbatch')
    cores, gpus = _machine()
    jobs = settings.jobs or 1
    if jobs > len(cores):
      raise UsageError(f'--jobs={jobs}: this machine has {len(cores)} cores.')
    if gpus and jobs > len(gpus):
      raise UsageError(
        f'--jobs={jobs}: this machine has {len(gpus)} GPUs; JAX_PLATFORMS=cpu '
        'leaves them alone.'
      )

  @property
  def running(self) -> Collection[str]:
    return self._running.keys()

  @property
  def room(self) -> int:
    return len(self._free)

  def start(self, jobs: Sequence[Job]) -> None:
    for job in jobs:
      share = self._free.pop(0)
      environment = dict(os.environ)
      if share.gpus:
        environment['CUDA_VISIBLE_DEVICES'] = ','.join(share.gpus)
      job.folder.mkdir(exist_ok=True)
      with open(job.folder / LOG, 'ab') as log, _on(share.cores):
        process = subprocess.Popen(
          job.command,
          env=environment,
          stdout=log,
          stderr=log,
          start_new_session=True,  # Ctrl-C is for the driver to pass on
        )
      self._running[job.name] = process, share

  def ended(self) -> list[str]:
    names = [n for n, (p, _) in self._running.items() if p.poll() is not None]
    for name in names:
      _, share = self._running.pop(name)
      self._free.append(share)
    return names

  def stop(self) -> str:
    processes = [process for process, _ in self._running.values()]
    for process in processes:
      process.send_signal(signal.SIGTERM)
    for process in processes:
      process.wait()
    return 'The runs are saved'


def _machine() -> tuple[list[int], list[str]]:
  """Returns the cores and GPUs that there are to divide."""
  return sorted(os.sched_getaffinity(0)), visible_gpus()


def visible_gpus() -> list[str]:
  """Returns the GPUs that runs may use, as CUDA_VISIBLE_DEVICES names them.

  JAX is not asked: it would take their memory.
  """
  platforms = os.environ.get('JAX_PLATFORMS', '')
  if platforms and not _GPUS & set(platforms.split(',')):
    return []
  given = os.environ.get('CUDA_VISIBLE_DEVICES')
  if given is not None:
    return [name for name in given.split(',') if name and name != '-1']
  query = ['nvidia-smi', '--query-gpu=index', '--format=csv,noheader']
  try:
    found = subprocess.run(
      query, capture_output=True, text=True, timeout=60, check=True
    )
  except (OSError, subprocess.SubprocessError):
    return []
  return found.stdout.split()


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
