"""Ctrl-C as a terminal sends it: to every process of a command."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from resflax.data.sources import load_dataset

DIGITS = ('train', '--config=configs/digits.py:runlocal', '--config.writers=()')


@pytest.fixture(scope='module', autouse=True)
def digits():
  """A clean machine makes them once."""
  load_dataset('digits')


@contextlib.contextmanager
def started(*arguments):
  """Yields a command that has a group of processes of its own."""
  process = subprocess.Popen(
    [sys.executable, '-m', f'scripts.{arguments[0]}', *arguments[1:]],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    start_new_session=True,
  )
  try:
    yield process
  finally:
    with contextlib.suppress(ProcessLookupError):
      os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def interrupt(process):
  """Returns the exit code and stderr after Ctrl-C."""
  os.killpg(process.pid, signal.SIGINT)
  _, err = process.communicate(timeout=60)
  return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize('delay', [0.3, 1.0])
def test_a_command_says_so_in_a_line(delay):
  with started('prepare_data', '--dataset=digits', '--verify') as process:
    time.sleep(delay)
    if process.poll() is None:  # a fast machine may be through
      code, err = interrupt(process)
      *bar, said = err.splitlines()  # a bar ends with the state it was in
      assert (code, said) == (130, 'interrupted'), err
      assert all('%' in line for line in bar), err


@pytest.mark.slow
@pytest.mark.parametrize('delay', [0.5, 1.0, 3.0])
def test_before_training_there_is_nothing_to_save(delay, tmp_path):
  with started(*DIGITS, f'--workdir={tmp_path}/run') as process:
    time.sleep(delay)
    code, err = interrupt(process)
  if code == 130:  # a slow machine has not come to `train` yet
    assert err == 'interrupted\n'
  else:
    assert (code, err.count('\n')) == (42, 1), err
    said = (
      'nothing to save',
      'the state is saved',
      'what was trained is saved',
    )
    assert any(words in err for words in said)


@pytest.mark.slow
def test_training_with_workers_saves_and_leaves_nothing_behind(tmp_path):
  with started(
    *DIGITS, '--config.data.workers=2', f'--workdir={tmp_path}/run'
  ) as process:
    for line in process.stdout:
      if line.startswith('step'):
        break
    code, err = interrupt(process)
  # Neither a traceback of a worker nor shared memory that leaked.
  errors = [
    line for line in err.splitlines() if 'Waiting for previous' not in line
  ]
  assert code == 42 and len(errors) == 1, err
  assert errors[0].startswith(
    ('error: Stopped at step ', 'error: Stopped while')
  )
  status = json.loads((tmp_path / 'run/status.json').read_text())
  assert (tmp_path / 'run/checkpoints' / str(status['step'])).exists()


@pytest.mark.slow
def test_a_second_one_ends_it_at_once(tmp_path):
  with started(*DIGITS, f'--workdir={tmp_path}/run') as process:
    for line in process.stdout:
      if line.startswith('step'):
        break
    for _ in range(500):  # the first is a wish; one of them is the second
      os.killpg(process.pid, signal.SIGINT)
      if process.poll() is not None:
        break
      time.sleep(0.005)
    _, err = process.communicate(timeout=10)
  assert process.returncode in (-signal.SIGINT, 42)
  assert 'Traceback' not in err
