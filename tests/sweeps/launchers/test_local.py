"""Cores and GPUs of this machine, divided."""

import os
import sys

import pytest

from resflax.data.ahead import cpus
from resflax.errors import UsageError
from resflax.sweeps.launchers.job import Job, Settings
from resflax.sweeps.launchers.local import Local, visible_gpus
from tests.sweeps.watching import until

SHOW = (
  'import os; print(sorted(os.sched_getaffinity(0)),'
  ' os.environ.get("CUDA_VISIBLE_DEVICES"))'
)


@pytest.fixture(autouse=True)
def no_platform(monkeypatch):
  monkeypatch.delenv('JAX_PLATFORMS', raising=False)
  monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')


def shown(tmp_path, jobs, count):
  """What so many jobs see, started as there is room."""
  launcher = Local(Settings(tmp_path, jobs=jobs))
  waiting = [
    Job(f'j{i}', tmp_path / f'j{i}', (sys.executable, '-c', SHOW))
    for i in range(count)
  ]
  while waiting or launcher.running:
    ready, waiting = waiting[: launcher.room], waiting[launcher.room :]
    launcher.start(ready)
    assert len(launcher.running) <= jobs
    until(launcher.ended)
  return [
    (tmp_path / f'j{i}' / 'log.txt').read_text().strip() for i in range(count)
  ]


@pytest.mark.skipif(cpus() < 2, reason='needs two cores to divide')
def test_cores_and_gpus_are_divided(tmp_path, monkeypatch):
  before = sorted(os.sched_getaffinity(0))
  monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,5,7,9')
  found = shown(tmp_path, 2, 3)
  assert found[0] == f'{before[::2]} 3,7'
  assert found[1] == f'{before[1::2]} 5,9'
  assert found[2] in found[:2]
  assert sorted(os.sched_getaffinity(0)) == before


def test_without_gpus_nothing_is_said_of_them(tmp_path, monkeypatch):
  monkeypatch.delenv('CUDA_VISIBLE_DEVICES')
  monkeypatch.setenv('JAX_PLATFORMS', 'cpu')
  assert shown(tmp_path, 1, 1) == [f'{sorted(os.sched_getaffinity(0))} None']


@pytest.mark.parametrize(
  'platforms, visible, said, gpus',
  [
    ('', None, '0\\n1\\n', ['0', '1']),
    ('cuda,cpu', '1', '0\\n1\\n', ['1']),
    ('', '', '0\\n', []),
    ('', '-1', '0\\n', []),
    ('cpu', '0,1', '0\\n1\\n', []),
    ('', None, None, []),
  ],
)
def test_which_gpus_there_are(
  tmp_path, monkeypatch, platforms, visible, said, gpus
):
  if platforms:
    monkeypatch.setenv('JAX_PLATFORMS', platforms)
  if visible is None:
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES')
  else:
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
  tool = tmp_path / 'nvidia-smi'
  lines = 'exit 9' if said is None else f"printf '{said}'"
  tool.write_text(f'#!/bin/sh\n{lines}\n')
  tool.chmod(0o755)
  monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
  assert visible_gpus() == gpus


@pytest.mark.parametrize(
  'settings, message',
  [
    ({'jobs': 9999}, '--jobs=9999: this machine has .* cores'),
    ({'cpus': 2}, '--cpus=2 means nothing to --launcher=local'),
    ({'sbatch': ('--time=1',)}, '--sbatch=--time=1 means nothing'),
  ],
)
def test_what_is_refused(tmp_path, settings, message):
  with pytest.raises(UsageError, match=message):
    Local(Settings(tmp_path, **settings))


def test_more_jobs_than_gpus(tmp_path, monkeypatch):
  monkeypatch.setattr(os, 'sched_getaffinity', lambda _: {0, 1})
  monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')
  with pytest.raises(UsageError, match='--jobs=2: this machine has 1 GPUs'):
    Local(Settings(tmp_path, jobs=2))
