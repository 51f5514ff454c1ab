"""Several processes train as one, stop as one, and miss who is lost."""

import re
import signal
import time

import pytest

from tests.faults.running import Life, acknowledged, together


@pytest.mark.slow
def test_processes_stop_together_and_go_on_as_one(tmp_path, cache):
  with Life(tmp_path / 'whole', cache=cache, devices=2) as whole:
    assert whole.wait() == 0, whole.log

  run = tmp_path / 'run'
  with together(run, 2, cache=cache) as (main, other):
    main.until_step(15)
    assert other.kill(signal.SIGTERM) == main.wait() == 42, main.log
  stopped = [
    re.search(r'Stopped at step (\d+) of 120', life.err)[1]
    for life in (main, other)
  ]
  assert stopped == [str(acknowledged(run))] * 2
  assert not other.steps  # the main process speaks for all

  with Life(run, cache=cache, devices=2) as rest:
    assert rest.wait() == 0, rest.log
  assert rest.steps[0] == int(stopped[0]) + 1
  assert rest.digest == whole.digest


@pytest.mark.slow
def test_a_lost_process_is_missed_and_named(tmp_path, cache):
  three = together(tmp_path / 'run', 3, '--config.batch_size=12', cache=cache)
  with three as (main, lost, other):
    main.until_step(15)
    began = time.monotonic()
    lost.kill()
    # JAX's runtime aborts where it is faster than our line.
    assert {main.wait(), other.wait()} <= {75, -signal.SIGABRT}
    assert time.monotonic() - began < 15  # the heartbeat and 5 s
  for life in (main, other):
    named = r'Lost process 1 \(|unhealthy \(stopped sending heartbeats\):\n1\n'
    assert re.search(named, life.log)
