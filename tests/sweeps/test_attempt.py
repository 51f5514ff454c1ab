"""One start of a run: its lease, its record, and how it ends."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from resflax.sweeps.attempt import HELD
from resflax.sweeps.lease import held, is_held
from tests.sweeps.watching import (
  TIMEOUT,
  attempt_of,
  lives,
  read,
  until,
)

LONG = 2000  # steps


@contextlib.contextmanager
def begun(folder, steps=LONG, *flags):
  """An attempt in a process of its own, with the launcher that started it."""
  command = [
    *(sys.executable, '-m', 'resflax.sweeps.attempt', str(folder)),
    *(sys.executable, '-m', 'tests.sweeps.tiny_train'),
    *(f'--config.schedule.total_steps={steps}', f'--workdir={folder}', *flags),
  ]
  call = 'import subprocess, sys; subprocess.call(sys.argv[1:])'
  launcher = subprocess.Popen([sys.executable, '-c', call, *command])
  try:
    yield launcher
  finally:
    for pid in (attempt_of(folder), launcher.pid):
      with contextlib.suppress(ProcessLookupError, TypeError):
        os.kill(pid, signal.SIGKILL)
    launcher.wait(TIMEOUT)


def test_it_keeps_how_it_ended_and_what_it_said(tmp_path):
  with begun(tmp_path, 1, '--config.data.train_split=3') as launcher:
    launcher.wait(TIMEOUT)
  assert read(tmp_path / 'attempt.json')['exit_code'] == 3
  log = (tmp_path / 'log.txt').read_text()
  assert log.startswith(f'$ {sys.executable} -m tests.sweeps.tiny_train')
  assert not is_held(tmp_path / '.lease')


@pytest.mark.parametrize('end', ['launcher', 'attempt', 'asked'])
def test_a_run_is_stopped_and_saved_where_its_parent_ends(tmp_path, end):
  with begun(tmp_path) as launcher:
    attempt = until(lambda: attempt_of(tmp_path))
    assert is_held(tmp_path / '.lease')
    until(lambda: read(tmp_path / 'status.json'))
    if end == 'launcher':
      launcher.kill()
    else:
      os.kill(attempt, signal.SIGKILL if end == 'attempt' else signal.SIGTERM)
    until(lambda: not is_held(tmp_path / '.lease'))
  assert read(tmp_path / 'status.json')['state'] == 'preempted'
  code = read(tmp_path / 'attempt.json')['exit_code']
  assert code == (None if end == 'attempt' else 42)


def test_a_run_that_is_done_or_at_work_is_not_begun(tmp_path):
  done = {'state': 'done', 'step': 4}
  command = ('resflax.sweeps.attempt', str(tmp_path), 'false')
  with held(tmp_path / '.lease'):
    busy = subprocess.run([sys.executable, '-m', *command], timeout=TIMEOUT)
  assert busy.returncode == HELD
  (tmp_path / 'status.json').write_text(str(done).replace("'", '"'))
  over = subprocess.run([sys.executable, '-m', *command], timeout=TIMEOUT)
  assert over.returncode == 0
  assert lives(tmp_path) == [] and not (tmp_path / 'log.txt').exists()
