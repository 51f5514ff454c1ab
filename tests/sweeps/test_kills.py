"""kill -9, by the command, of trainings that are real."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.sweeps.watching import at_work, children, read, until

TIMEOUT = 180
SWEEP = """
def sweep(add):
  for seed in range(2):
    add(f's{seed}', seed=seed)
"""


def start(tmp_path):
  """Starts the command, of two runs of some seconds."""
  (tmp_path / 'sweep.py').write_text(SWEEP)
  return subprocess.Popen(
    [
      *(sys.executable, '-m', 'scripts.sweep', '--jobs=2'),
      '--config=tests/faults/config.py',
      f'--sweep={tmp_path / "sweep.py"}',
      f'--workdir={tmp_path / "runs"}',
    ],
    cwd=pathlib.Path(__file__).parents[2],
    env={**os.environ, 'JAX_COMPILATION_CACHE_DIR': str(tmp_path / 'cache')},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


@pytest.mark.slow
def test_a_sweep_of_trainings_ends_complete(tmp_path):
  first = start(tmp_path)
  runs = until(lambda: at_work(tmp_path / 'runs', 2), TIMEOUT)
  killed, attempt = next(iter(runs.items()))
  until(lambda: read(killed / 'status.json').get('step'), TIMEOUT)
  [training] = children(attempt)
  os.kill(training, signal.SIGKILL)
  until(lambda: begun(killed) == 2, TIMEOUT)
  first.kill()
  first.communicate(timeout=TIMEOUT)

  second = start(tmp_path)
  out, err = second.communicate(timeout=TIMEOUT)
  assert second.returncode == 0, err
  assert '2 done' in out
  logs = [(run / 'log.txt').read_text() for run in runs]
  assert [log.count('\ndigest ') for log in logs] == [1, 1]
  # Begun, killed with the training and again with the driver.
  assert begun(killed) == 3


def begun(run):
  """How often a run was begun."""
  return (run / 'log.txt').read_text().count('$ ')
