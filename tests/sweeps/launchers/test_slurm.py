"""Slurm for real, where it can be started; else what is refused."""

import os
import signal

import pytest

from resflax.errors import UsageError
from resflax.sweeps.launchers.job import Job, Settings
from resflax.sweeps.launchers.slurm import Slurm
from tests.slurm_cluster import missing, slurm_cluster
from tests.sweeps.drive import driver
from tests.sweeps.watching import (
  TIMEOUT,
  at_work,
  check_each_ended_once,
  children,
  lives,
  read,
  until,
)

REAL = [
  pytest.mark.slow,
  pytest.mark.skipif(missing() is not None, reason=str(missing())),
]
RUNS, STEPS = 4, 60


def real(test):
  for mark in REAL:
    test = mark(test)
  return test


@real
def test_killed_runs_and_drivers_leave_a_sweep_that_ends_complete(tmp_path):
  with slurm_cluster() as environment:
    first = driver(tmp_path, 'slurm', RUNS, STEPS, env=environment)
    runs = until(lambda: at_work(tmp_path, 2))
    run, attempt = next(iter(runs.items()))
    first.kill()
    first.communicate(timeout=TIMEOUT)
    # The jobs go on without a driver, and one is killed with its attempt.
    until(lambda: lives(run))
    [training] = children(attempt)
    for pid in (attempt, training):
      os.kill(pid, signal.SIGKILL)

    second = driver(tmp_path, 'slurm', RUNS, STEPS, env=environment)
    out, err = second.communicate(timeout=TIMEOUT)
    assert (second.returncode, err) == (0, ''), out
  check_each_ended_once(tmp_path, RUNS)
  assert len(lives(run)) == 3  # twice begun, once ended
  arrays = sorted((tmp_path / 'slurm').glob('*.tsv'))
  # The second driver followed the first array, and submitted but the killed.
  lines = [file.read_text().splitlines() for file in arrays]
  assert [len(each) for each in lines] == [RUNS, 1]
  assert lines[1][0].startswith(f'{run.name}\t')


@real
def test_sigterm_leaves_the_jobs_in_the_queue(tmp_path):
  with slurm_cluster() as environment:
    first = driver(tmp_path, 'slurm', 1, STEPS, env=environment)
    until(lambda: at_work(tmp_path, 1))
    first.terminate()
    _, err = first.communicate(timeout=TIMEOUT)
    assert first.returncode == 42
    assert err.startswith('Interrupted. The jobs go on (scancel ')
    [run] = (path.parent for path in tmp_path.glob('*/attempt.json'))
    until(lambda: read(run / 'status.json').get('state') == 'done')
  check_each_ended_once(tmp_path, 1)


@real
def test_what_sbatch_refuses_is_told_in_a_line(tmp_path, monkeypatch):
  with slurm_cluster() as environment:
    for name, value in environment.items():
      monkeypatch.setenv(name, value)
    launcher = Slurm(Settings(tmp_path, sbatch=('--partition=nowhere',)))
    with pytest.raises(UsageError, match='sbatch refuses: .*partition'):
      launcher.start([Job('a', tmp_path / 'a', ('true',))])


def test_there_is_no_slurm(tmp_path, monkeypatch):
  monkeypatch.setenv('PATH', str(tmp_path))
  with pytest.raises(UsageError, match='--launcher=slurm needs sbatch'):
    Slurm(Settings(tmp_path))
  with pytest.raises(UsageError, match='--ray_address=x means nothing to'):
    Slurm(Settings(tmp_path, ray_address='x'))


def test_a_controller_that_does_not_answer(tmp_path, monkeypatch, capsys):
  for name in ('sbatch', 'squeue'):
    tool = tmp_path / 'bin' / name
    tool.parent.mkdir(exist_ok=True)
    tool.write_text("#!/bin/sh\nprintf 'Unable to\\ncontact' >&2\nexit 1\n")
    tool.chmod(0o755)
  monkeypatch.setenv('PATH', str(tmp_path / 'bin'))
  with pytest.raises(UsageError, match='squeue fails: Unable to contact'):
    Slurm(Settings(tmp_path))
  assert capsys.readouterr() == ('', '')
  assert [file.name for file in tmp_path.iterdir()] == ['bin']
