"""Runs as tasks of a Ray cluster, or of the Ray of this machine.

A node needs the clone, the Python and the sweep's folder at the paths they have
here. Ray places a task by its resources and gives it its GPUs; a task starts a
command and waits, so nothing of ours is imported in Ray's processes.
"""

import importlib.util
import logging
import os
import socket
import subprocess
import time
from collections.abc import Collection, Sequence

from resflax.errors import UsageError, first_line
from resflax.sweeps.launchers.job import Job, Settings

_MOST = 10_000  # tasks that one Ray is given to queue
_SAVING_S = 300  # that a run has to save
_ANSWER_S = 10

_ENVIRONMENT = {
  'RAY_USAGE_STATS_ENABLED': '0',  # Ray counts its users, unless told not to
  'RAY_worker_niceness': '0',  # of a Ray that is started here; 15 by default
}


class Ray:
  """Leaves the queue to Ray, and retries to the driver."""

  poll_s = 0.5

  def __init__(self, settings: Settings):
    """Connects, or starts a Ray on this machine.

    Raises:
      UsageError: Ray is not installed, or there is none at the address.
    """
    self.check(settings)
    for name, value in _ENVIRONMENT.items():
      os.environ.setdefault(name, value)
    import ray

    self._ray = ray
    cpus, gpus = settings.cpus or 1, settings.gpus or 0
    self._most = settings.jobs or _MOST
    self._names = {}
    _connect(ray, settings.ray_address)
    _tell_what_is_missing(ray.nodes(), {'CPU': cpus, 'GPU': gpus})
    self._task = _task(ray, cpus, gpus)

  @staticmethod
  def check(settings: Settings) -> None:
    """Refuses settings of others, and a machine without the package.

    Raises:
      UsageError: it is so.
    """
    settings.refuse('ray', 'sbatch')
    if not importlib.util.find_spec('ray'):
      raise UsageError(
        "--launcher=ray needs Ray: pip install -c constraints.txt -e '.[ray]'."
      )

  @property
  def running(self) -> Collection[str]:
    return self._names.values()

  @property
  def room(self) -> int:
    return self._most - len(self._names)

  def start(self, jobs: Sequence[Job]) -> None:
    for job in jobs:
      self._names[self._task.remote(list(job.command), os.getcwd())] = job.name

  def ended(self) -> list[str]:
    left = set(self._unfinished(0))
    done = [task for task in self._names if task not in left]
    for task in done:
      self._tell_crash(task)
    return [self._names.pop(task) for task in done]

  def _tell_crash(self, task) -> None:
    """Says why Ray ended a task, as for want of memory: no run can."""
    try:
      self._ray.get(task)
    except self._ray.exceptions.RayError as error:
      kind, reason = type(error).__name__, first_line(error)
      print(f'note: Ray: {self._names[task]}: {kind}: {reason}', flush=True)

  def stop(self) -> str:
    for task in self._names:
      self._ray.cancel(task)
    left = self._unfinished(_SAVING_S)
    self._ray.shutdown()
    return f'{len(left)} runs did not end' if left else 'The runs are saved'

  def _unfinished(self, timeout: float) -> list:
    """Waits for the tasks; returns those that have not ended."""
    if not self._names:
      return []
    tasks, count = list(self._names), len(self._names)
    return self._ray.wait(tasks, num_returns=count, timeout=timeout)[1]


def _connect(ray, address: str | None) -> None:
  """Connects to a Ray, or starts one.

  Raises:
    UsageError: there is none at the address.
  """
  host, _, port = (address or '').rpartition(':')
  try:
    if host and port.isdecimal() and '://' not in host:
      # Ray itself tries for minutes, and then ends the process.
      socket.create_connection((host, int(port)), _ANSWER_S).close()
    ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
  except (OSError, ValueError, RuntimeError) as error:
    raise UsageError(
      f'No Ray at {address!r}: {first_line(error)} (--ray_address).'
    ) from error


def _task(ray, cpus: int, gpus: int):
  """Returns the remote function that runs a command."""

  def run(command: list[str], folder: str) -> int:
    # XLA asks for NPROC; without, every task takes all cores of its node.
    environment = {**os.environ, 'NPROC': str(cpus)}
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
      while process.poll() is None:
        time.sleep(0.2)  # where a cancelled task is interrupted
      return process.returncode
    finally:
      process.terminate()
      process.wait()

  return ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(run)


def _tell_what_is_missing(nodes: Sequence[dict], wanted: dict) -> None:
  """Says that no node is large enough; one may come, so it is no error."""
  for node in nodes:
    there = node['Resources'] if node['Alive'] else {}
    if all(there.get(name, 0) >= count for name, count in wanted.items()):
      return
  text = ' and '.join(f'{count} {name}s' for name, count in wanted.items())
  print(f'note: no node of this Ray has {text}: the runs wait', flush=True)
