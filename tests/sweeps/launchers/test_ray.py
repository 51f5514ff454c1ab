"""Ray for real: two nodes on this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys

import pytest

from resflax.errors import UsageError
from resflax.sweeps.launchers.job import Settings
from resflax.sweeps.launchers.ray import Ray
from resflax.sweeps.lease import is_held
from tests.sweeps.drive import driver
from tests.sweeps.watching import (
  TIMEOUT,
  at_work,
  check_each_ended_once,
  lives,
  parent,
  read,
  until,
)

RUNS, STEPS = 4, 100


@contextlib.contextmanager
def cluster():
  """Yields the address of one."""
  with subprocess.Popen(
    [sys.executable, '-m', 'tests.sweeps.ray_cluster'],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    text=True,
    env={
      **os.environ,
      'RAY_USAGE_STATS_ENABLED': '0',
      # By default a worker gives way to all others, and is killed where they
      # take the memory.
      'RAY_worker_niceness': '0',
      'RAY_memory_monitor_refresh_ms': '0',
    },
  ) as process:
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(TIMEOUT)


@pytest.mark.slow
def test_killed_workers_and_drivers_leave_a_sweep_that_ends_complete(tmp_path):
  with cluster() as address:
    first = driver(tmp_path, 'ray', RUNS, STEPS, address)
    # One on each node, which have a core.
    runs = until(lambda: at_work(tmp_path, 2))
    (killed, attempt), _ = runs.items()
    until(lambda: lives(killed))
    os.kill(parent(attempt), signal.SIGKILL)  # the worker
    until(lambda: len(lives(killed)) == 2)
    first.kill()
    out, _ = first.communicate(timeout=TIMEOUT)
    assert f'note: Ray: {killed.name}: WorkerCrashedError: ' in out
    until(lambda: not at_work(tmp_path, 1))  # they save, and end

    second = driver(tmp_path, 'ray', RUNS, STEPS, address)
    runs = until(lambda: at_work(tmp_path, 2))
    until(lambda: all(read(run / 'status.json') for run in runs))
    second.terminate()
    _, err = second.communicate(timeout=TIMEOUT)
    assert second.returncode == 42
    assert err.splitlines()[-1] == (
      'Interrupted. The runs are saved; the same command goes on.'
    )
    for run in runs:
      assert not is_held(run / '.lease')
      assert read(run / 'status.json')['state'] != 'running'

    third = driver(tmp_path, 'ray', RUNS, STEPS, address)
    out, err = third.communicate(timeout=TIMEOUT)
    assert third.returncode == 0, err
    assert f' of {RUNS} runs are done\n' in out
  check_each_ended_once(tmp_path, RUNS)


def test_there_is_no_ray_at_an_address(tmp_path):
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = '{}:{}'.format(*free.getsockname())
    with pytest.raises(UsageError, match=f"No Ray at '{address}': .* refused"):
      Ray(Settings(tmp_path, ray_address=address))


def test_ray_is_not_installed(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'ray', None)
  with pytest.raises(UsageError, match='--launcher=ray needs Ray: pip install'):
    Ray(Settings(tmp_path))
