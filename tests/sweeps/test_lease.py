"""One process at a time in a folder, on one machine and on several."""

import os
import subprocess
import sys
import time

import pytest

from resflax.sweeps import lease
from resflax.sweeps.lease import HeldError, held, is_held


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
  monkeypatch.setattr(lease, '_PATIENCE_S', 0.1)


def test_one_at_a_time(tmp_path):
  file = tmp_path / 'lease'
  assert not is_held(file)
  with held(file):
    assert is_held(file)
    with pytest.raises(HeldError), held(file):
      pass
    assert is_held(file)
  assert not is_held(file)
  with held(file):
    pass


def test_who_only_looks_keeps_nobody_out(tmp_path, monkeypatch):
  monkeypatch.undo()
  file = tmp_path / 'lease'
  file.touch()
  code = (
    'import fcntl, os, sys, time; f = os.open(sys.argv[1], os.O_RDONLY);'
    'fcntl.flock(f, fcntl.LOCK_SH); print(flush=True); time.sleep(0.2)'
  )
  with subprocess.Popen(
    [sys.executable, '-c', code, str(file)], stdout=subprocess.PIPE
  ) as looker:
    looker.stdout.readline()
    with held(file):
      assert is_held(file)


def test_it_ends_with_the_last_process_that_has_it(tmp_path):
  file = tmp_path / 'lease'
  code = (
    'import pathlib, subprocess, sys, time\n'
    'from resflax.sweeps.lease import held\n'
    'with held(pathlib.Path(sys.argv[1])) as lease:\n'
    '  heir = subprocess.Popen(["sleep", "60"], pass_fds=[lease])\n'
    '  print(heir.pid, flush=True)\n'
    '  time.sleep(60)\n'
  )
  with subprocess.Popen(
    [sys.executable, '-c', code, str(file)], stdout=subprocess.PIPE
  ) as holder:
    heir = int(holder.stdout.readline())
    holder.kill()
    holder.wait(10)
    assert is_held(file)
    os.kill(heir, 9)
    end = time.monotonic() + 10
    while is_held(file):
      assert time.monotonic() < end
      time.sleep(0.01)


def elsewhere(file, monkeypatch):
  """What another machine holds whose locks do not reach here."""
  with monkeypatch.context() as there:
    there.setattr(lease, '_machine', lambda: 'another')
    with held(file):
      return file.read_text()


def test_another_machine_is_known_by_its_heartbeat(tmp_path, monkeypatch):
  file = tmp_path / 'lease'
  content = elsewhere(file, monkeypatch)
  assert content == 'another'
  assert not is_held(file)  # it ended in order, so nobody has to wait
  os.utime(file)
  assert is_held(file)
  with pytest.raises(HeldError), held(file):
    pass
  silent = time.time() - lease.LIFE_S - 1
  os.utime(file, (silent, silent))
  assert not is_held(file)
  with held(file) as descriptor:
    assert file.read_text() != 'another'
    os.utime(file, (silent, silent))
    lease.beat(descriptor)
    assert time.time() - file.stat().st_mtime < 10


def test_without_locks_the_heartbeat_has_to_do(tmp_path, monkeypatch):
  def none(*_):
    raise OSError('no locks')

  monkeypatch.setattr(lease.fcntl, 'flock', none)
  file = tmp_path / 'lease'
  with held(file):
    assert is_held(file)
    with pytest.raises(HeldError), held(file):
      pass
  assert not is_held(file)
