"""Work done ahead, and workers that are killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from resflax.data.ahead import ahead, check_workers, cpus
from resflax.errors import UsageError


@pytest.mark.parametrize('start', [0, 3])
def test_results_come_in_order(start):
  def make(index):
    time.sleep(0.002 * (index % 3))
    return index

  assert list(ahead(make, start, 40)) == list(range(start, 40))


def test_what_goes_wrong_is_raised_at_its_turn():
  def make(index):
    if index == 5:
      raise ValueError(f'at {index}')
    return index

  results = ahead(make, 0, 40)
  assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
  with pytest.raises(ValueError, match='at 5'):
    next(results)


def test_more_workers_than_a_machine_can_start_are_refused():
  check_workers(16)
  check_workers(4 * cpus())
  with pytest.raises(UsageError, match=r'config\.data\.workers=1000 is not'):
    check_workers(1000)


# As training, it stops between results: no exception arises inside of Grain.
PROGRAM = """
import os, signal, time
import numpy as np
from absl import flags
from resflax.data.ahead import ahead
from resflax.errors import LostPeerError

def make(index):
  time.sleep(0.01)
  return np.full(10_000, os.getpid())

def consume():
  interrupts = []
  signal.signal(signal.SIGINT, lambda *_: interrupts.append('interrupted'))
  results = ahead(make, 0, 10**6, workers=2)
  try:
    for count, result in enumerate(results):
      if count < 4:
        print(result[0], flush=True)
      del result
      if interrupts:
        break
  except LostPeerError as error:
    print(error.exit_code, error)
  results.close()
  print(*interrupts)

if __name__ == '__main__':
  flags.FLAGS.mark_as_parsed()
  consume()
"""


@pytest.fixture
def program(tmp_path):
  """A program that goes through results of two workers, and their ids."""
  (tmp_path / 'program.py').write_text(PROGRAM)
  process = subprocess.Popen(
    [sys.executable, str(tmp_path / 'program.py')],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    start_new_session=True,
  )
  workers = {int(process.stdout.readline()) for _ in range(4)}
  assert len(workers) == 2
  yield process, workers
  process.kill()
  process.wait()


@pytest.mark.slow
def test_a_killed_worker_ends_the_run_within_seconds(program):
  process, workers = program
  os.kill(min(workers), signal.SIGKILL)
  out, _ = process.communicate(timeout=90)
  assert out.startswith('75 A data worker ended with exit code -9')


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_no_worker(program):
  process, _ = program
  os.killpg(process.pid, signal.SIGINT)
  out, err = process.communicate(timeout=90)
  # Neither tracebacks of workers nor shared memory that leaks.
  assert (out, err, process.returncode) == ('interrupted\n', '', 0)


@pytest.mark.slow
def test_workers_end_with_a_killed_parent(program):
  process, _ = program
  process.kill()
  process.communicate(timeout=90)  # they hold its output open
