"""A job of two tasks, found through Slurm's variables, on a Slurm of its own.

Skipped where Slurm is not installed, or cannot be started for want of root.
"""

import pathlib
import re
import subprocess
import sys
import time

import pytest

from tests.faults.running import ROOT, Life
from tests.slurm_cluster import missing, slurm_cluster

RUN = ('--config=tests/faults/config.py', '--config.keep.last=3')
TIMEOUT = 400  # seconds for the job; idle cores take a tenth of it


@pytest.fixture
def clone(tmp_path):
  """A folder that looks like a clone with its environment."""
  folder = tmp_path / 'clone'
  (folder / '.venv' / 'bin').mkdir(parents=True)
  for name in ('configs', 'resflax', 'scripts', 'tests'):
    (folder / name).symlink_to(ROOT / name)
  path = pathlib.Path(sys.executable).parent
  (folder / '.venv' / 'bin' / 'activate').write_text(f'PATH={path}:$PATH\n')
  return folder


def launch_script(workdir):
  """What the doctor prints for Slurm; there are no GPUs here to ask for."""
  command = ('--print_launch=slurm', *RUN, f'--workdir={workdir}')
  text = subprocess.run(
    [sys.executable, '-m', 'scripts.doctor', *command],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
    timeout=60,
  ).stdout
  return re.sub('^#SBATCH --gpus-per-node=.*\n', '', text, flags=re.M)


class Job:
  """A job of two tasks on one node, and what it has said."""

  def __init__(self, clone, environment, text):
    self._environment, self._clone = environment, clone
    self._log = clone / 'log'
    (clone / 'job.sh').write_text(text)
    options = ('--nodes=1', '--ntasks-per-node=2', '--cpus-per-task=1')
    self._id = self._ask(
      *('sbatch', '--parsable', f'--output={self._log}', *options, 'job.sh')
    )
    self._end = time.monotonic() + TIMEOUT

  def _ask(self, *command):
    return subprocess.run(
      command,
      cwd=self._clone,
      env=self._environment,
      check=True,
      capture_output=True,
      text=True,
      timeout=30,
    ).stdout.strip()

  @property
  def log(self):
    return self._log.read_text() if self._log.exists() else ''

  def field(self, name):
    """Returns what Slurm says of the job."""
    shown = self._ask('scontrol', 'show', 'job', self._id)
    return re.search(rf'\b{name}=(\S*)', shown)[1]

  def until(self, what):
    """Waits until something is so."""
    while not what():
      state = self.field('JobState')
      assert state not in ('FAILED', 'CANCELLED'), self.log
      assert time.monotonic() < self._end, self.log
      time.sleep(0.05)

  def terminate(self):
    """Sends SIGTERM to the tasks, as Slurm does before the time is over."""
    self._ask('scancel', '--signal=TERM', self._id)


@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=f'Slurm: {missing()}')
def test_a_job_is_stopped_queues_again_and_ends_as_one_process(clone, tmp_path):
  cache = str(tmp_path / 'programs')
  with Life(tmp_path / 'whole', *RUN[1:], cache=cache, devices=2) as whole:
    assert whole.wait() == 0, whole.log

  variables = {
    'JAX_COMPILATION_CACHE_DIR': cache,
    'JAX_PLATFORMS': 'cpu',
    'XLA_FLAGS': '',
    'NPROC': '2',  # as in `Life`
  }
  with slurm_cluster() as environment:
    text = launch_script(tmp_path / 'run')
    job = Job(clone, {**environment, **variables}, text)
    job.until(lambda: re.search(r'^step +\d+/120', job.log, re.M))
    job.terminate()
    job.until(lambda: job.field('Restarts') == '1')
    job.until(lambda: job.field('JobState') == 'COMPLETED')
  log = job.log
  said = ' '.join(log.split())  # cells of the table are wrapped
  assert said.count('2 of 2 are here (by slurm; process 0 at localhost:') == 2
  assert said.count('is shared and can be written by all') == 2
  stopped = int(re.search(r'Stopped at step (\d+) of 120', log)[1])
  assert f'preempted, saved at {stopped} of 120' in said
  assert f'\nstep {stopped + 1}/120 ' in re.sub('step +', 'step ', log)
  assert re.search('^digest (.*)$', log, re.M)[1] == whole.digest
