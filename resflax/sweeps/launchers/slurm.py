r"""Runs as tasks of Slurm's job arrays.

The jobs need no driver: they go on without one, and the next one follows them,
for an array carries the sweep's name and its number, under which the sweep's
folder has its list of commands. A node needs the clone, the Python and the
folder at the paths they have here.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence

from resflax.errors import UsageError
from resflax.sweeps.launchers.job import Job, Settings

_MOST = 1000  # tasks of an array, as Slurm comes
_NOTICE_S = 120  # before a job's time is over: enough to save

_SCRIPT = """\
#!/bin/bash
export NPROC=$SLURM_CPUS_PER_TASK
line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {commands} | cut -f 2-)
eval "exec $line"
"""


class Slurm:
  """Submits arrays, and asks the queue what is left of them."""

  poll_s = 5.0

  def __init__(self, settings: Settings):
    """Finds the jobs of an earlier driver."""
    self.check(settings)
    self._folder = settings.folder / 'slurm'
    self._folder.mkdir(exist_ok=True)
    path = str(settings.folder.resolve())
    self._name = f'resflax-{hashlib.sha256(path.encode()).hexdigest()[:8]}'
    limit = f'%{settings.jobs}' if settings.jobs else ''
    self._limit, self._options = limit, _options(settings)
    self._tasks: dict[str, str] = {}  # names of runs by the ids of tasks
    self._tasks = self._queued() or {}

  @staticmethod
  def check(settings: Settings) -> None:
    """Refuses settings of others, and a machine where no Slurm answers.

    Raises:
      UsageError: it is so.
    """
    settings.refuse('slurm', 'ray_address')
    if not shutil.which('sbatch'):
      raise UsageError('--launcher=slurm needs sbatch, which is not here.')
    asked = _squeue()
    if asked.returncode:
      raise UsageError(
        f'--launcher=slurm: squeue fails: {_one_line(asked.stderr)}.'
      )

  @property
  def running(self) -> Collection[str]:
    return self._tasks.values()

  @property
  def room(self) -> int:
    return _MOST - len(self._tasks)

  def start(self, jobs: Sequence[Job]) -> None:
    number = 1 + max(
      (int(p.stem) for p in self._folder.glob('*.tsv')), default=0
    )
    commands = self._folder / f'{number}.tsv'
    lines = (f'{job.name}\t{shlex.join(job.command)}\n' for job in jobs)
    commands.write_text(''.join(lines))
    done = subprocess.run(
      [
        *('sbatch', '--parsable', f'--job-name={self._name}-{number}'),
        f'--array=0-{len(jobs) - 1}{self._limit}',
        f'--output={self._folder}/{number}_%a.out',
        *self._options,
      ],
      input=_SCRIPT.format(commands=shlex.quote(str(commands))),
      capture_output=True,
      text=True,
    )
    if done.returncode:
      raise UsageError(f'sbatch refuses: {_one_line(done.stderr)} (--sbatch).')
    job_id = done.stdout.strip().partition(';')[0]
    self._tasks |= {f'{job_id}_{i}': job.name for i, job in enumerate(jobs)}

  def ended(self) -> list[str]:
    queued = self._queued()
    if queued is None:  # the controller does not answer: ask again
      return []
    gone = [task for task in self._tasks if task not in queued]
    return [self._tasks.pop(task) for task in gone]

  def stop(self) -> str:
    if not self._tasks:
      return 'No job is left'
    ids = dict.fromkeys(task.partition('_')[0] for task in self._tasks)
    return f'The jobs go on (scancel {" ".join(ids)} would end them)'

  def _queued(self) -> dict[str, str] | None:
    """Returns the names of this sweep's runs in the queue, by their tasks."""
    done = _squeue()
    if done.returncode:
      print(f'note: squeue: {_one_line(done.stderr)}', file=sys.stderr)
      return None
    found, arrays = {}, {}
    for line in done.stdout.splitlines():
      task, job_name = line.split(maxsplit=1)
      name, _, number = job_name.rpartition('-')
      if name != self._name:
        continue
      if number not in arrays:
        commands = self._folder / f'{number}.tsv'
        arrays[number] = commands.read_text().splitlines()
      row = arrays[number][int(task.partition('_')[2])]
      found[task] = row.partition('\t')[0]
    return found


def _squeue() -> subprocess.CompletedProcess[str]:
  """Asks for this user's tasks: a line each, of its id and job's name."""
  return subprocess.run(
    ['squeue', '--noheader', '--array', '--me', '--format=%i %j'],
    capture_output=True,
    text=True,
  )


def _one_line(text: str) -> str:
  return ' '.join(text.split())


def _options(settings: Settings) -> list[str]:
  """Returns the options of sbatch, those of the user last: they count."""
  gpus = [f'--gres=gpu:{settings.gpus}'] if settings.gpus else []
  return [
    *('--ntasks=1', f'--cpus-per-task={settings.cpus or 1}', *gpus),
    *(f'--chdir={os.getcwd()}', '--open-mode=append', '--requeue'),
    f'--signal=B:TERM@{_NOTICE_S}',
    *settings.sbatch,
  ]
