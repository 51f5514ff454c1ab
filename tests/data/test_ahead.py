"""Work done ahead, and workers that are killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from resflax.data.ahead import ahead


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


PROGRAM = """
import os, time
from absl import flags
from resflax.data.ahead import ahead
from resflax.errors import LostPeerError

def make(index):
  time.sleep(0.01)
  return os.getpid()

if __name__ == '__main__':
  flags.FLAGS.mark_as_parsed()
  results = ahead(make, 0, 10**6, workers=2)
  pids = {next(results) for _ in range(4)}
  print(*pids, flush=True)
  try:
    for _ in results:
      pass
  except LostPeerError as error:
    print(error.exit_code, error)
"""


@pytest.mark.slow
def test_a_killed_worker_ends_the_run_within_seconds(tmp_path):
  (tmp_path / 'program.py').write_text(PROGRAM)
  run = subprocess.Popen(
    [sys.executable, str(tmp_path / 'program.py')],
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    text=True,
  )
  pids = run.stdout.readline().split()
  assert len(pids) == 2
  os.kill(int(pids[0]), signal.SIGKILL)
  out, _ = run.communicate(timeout=30)
  assert out.startswith('75 A data worker ended with exit code -9')
