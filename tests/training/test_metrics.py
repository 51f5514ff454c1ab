"""Rows on disk: each once, whenever a run was cut off."""

import json
import sys

import pytest

from resflax.errors import UsageError
from resflax.training.metrics import JsonLines, Metrics, last_time


def rows(workdir):
  return [
    json.loads(line)
    for part in sorted((workdir / 'metrics').glob('*.jsonl'))
    for line in part.read_text().splitlines()
  ]


def write(log, *steps):
  for step in steps:
    log.write({'step': step, 'x': step / 2})


def test_a_run_that_comes_back_has_each_row_once(tmp_path):
  log = JsonLines(tmp_path, 0)
  write(log, 10, 20)
  log.checkpoint(20)
  write(log, 30, 40)
  log.checkpoint(40)
  write(log, 50)  # killed here; the checkpoint of step 40 was not finished
  log = JsonLines(tmp_path, 20)
  write(log, 30)  # and here, before any checkpoint
  log = JsonLines(tmp_path, 20)
  write(log, 30, 40)
  assert [row['step'] for row in rows(tmp_path)] == [10, 20, 30, 40]
  assert rows(tmp_path)[0] == {'step': 10, 'x': 5.0}


def test_the_last_time_is_that_of_the_last_whole_row(tmp_path):
  assert last_time(tmp_path, 0) is None
  log = JsonLines(tmp_path, 0)
  log.write({'step': 10, 'time': 1.5})
  log.checkpoint(20)
  log.write({'step': 30, 'time': 4.5})
  log.write({'step': 40, 'time': 6.5})
  part = tmp_path / 'metrics' / '000000020.jsonl'
  part.write_text(part.read_text()[:-3])  # killed while it was written
  assert last_time(tmp_path, 20) == 4.5
  part.write_text('')
  assert last_time(tmp_path, 20) is None
  assert last_time(tmp_path, 0) == 1.5


def test_a_new_run_drops_what_was_there(tmp_path):
  write(JsonLines(tmp_path, 0), 10)
  JsonLines(tmp_path, 0)
  assert rows(tmp_path) == []


def test_tensorboard_needs_no_tensorflow(tmp_path):
  metrics = Metrics(tmp_path, 0, ('tensorboard',))
  metrics.write({'step': 1, 'train/loss': 0.25})
  metrics.checkpoint(1)
  metrics.close()
  (events,) = (tmp_path / 'tensorboard').iterdir()
  assert b'train/loss' in events.read_bytes()
  assert 'tensorflow' not in sys.modules


def test_wandb_that_is_not_installed_is_one_line(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'wandb', None)
  with pytest.raises(UsageError, match=r"pip install -e '.\[wandb\]'"):
    Metrics(tmp_path, 0, ('wandb',))


def test_wandb_continues_the_run_of_this_name(tmp_path, monkeypatch):
  calls = []

  class Run:
    def log(self, row, step):
      calls.append((row, step))

    def finish(self):
      calls.append('finish')

  class Module:
    @staticmethod
    def init(**options):
      calls.append((options['id'], options['resume']))
      return Run()

  monkeypatch.setitem(sys.modules, 'wandb', Module)
  metrics = Metrics(tmp_path / 'mine', 0, ('wandb',))
  metrics.write({'step': 3, 'lr': 0.1})
  metrics.close()
  assert calls == [
    ('mine', 'allow'),
    ({'step': 3, 'lr': 0.1}, 3),
    'finish',
  ]
