"""What a run folder pins, and how it says how a run stands."""

import json
import os

import pytest

from resflax.config import Facts, resolve
from resflax.errors import StorageError, UsageError
from resflax.training.workdir import Workdir

FACTS = Facts(1000, {'train_split': 'train'}, 'given')


def config(**fields):
  return resolve({'schedule': {'total_steps': 10}, **fields}, FACTS)


def test_config_is_stored_with_reasons(tmp_path):
  Workdir(tmp_path / 'new' / 'run').pin(config())
  stored = json.loads((tmp_path / 'new/run/config.json').read_text())
  assert stored['config']['schedule']['total_steps'] == 10
  assert stored['derived']['data.train_split'] == {
    'value': 'train',
    'reason': 'given',
  }


def test_the_same_config_may_go_on(tmp_path):
  Workdir(tmp_path).pin(config())
  Workdir(tmp_path).pin(config())


def test_a_change_is_kept_with_its_step(tmp_path):
  folder = Workdir(tmp_path)
  folder.pin(config())
  folder.write_status('running', 0, step=4)
  folder.pin(config(seed=1), allow=['seed'])
  folder.pin(config(seed=1))
  stored = json.loads((tmp_path / 'config.json').read_text())
  assert stored['config']['seed'] == 1
  assert stored['changes'] == [{'step': 4, 'field': 'seed', 'from': 0}]


def test_a_finished_run_has_no_step_left_to_change(tmp_path):
  folder = Workdir(tmp_path)
  folder.pin(config())
  folder.write_status('done', 0, step=10)
  with pytest.raises(UsageError, match='a finished run of 10 steps'):
    folder.pin(config(seed=1), allow=['seed'])
  stored = json.loads((tmp_path / 'config.json').read_text())
  assert stored['config']['seed'] == 0
  longer = config(schedule={'total_steps': 20})
  folder.pin(longer, allow=['schedule.total_steps'])


def test_another_config_is_refused_by_field(tmp_path):
  Workdir(tmp_path).pin(config())
  with pytest.raises(UsageError, match=r'config.seed=0, not 1.*allow_change=s'):
    Workdir(tmp_path).pin(config(seed=1))
  stored = json.loads((tmp_path / 'config.json').read_text())
  assert stored['config']['seed'] == 0


def test_a_change_may_be_allowed_by_name(tmp_path):
  Workdir(tmp_path).pin(config())
  Workdir(tmp_path).pin(config(seed=1), allow=['seed'])
  with pytest.raises(UsageError, match="Did you mean 'config.seed'"):
    Workdir(tmp_path).pin(config(seed=1), allow=['sed'])


def test_how_a_run_is_watched_may_change(tmp_path):
  Workdir(tmp_path).pin(config())
  Workdir(tmp_path).pin(config(log_every_steps=1, keep={'last': 5}))


def test_where_the_data_lies_may_change_but_not_its_order(tmp_path):
  Workdir(tmp_path).pin(config())
  Workdir(tmp_path).pin(config(data={'data_dir': 'gs://bucket/data'}))
  with pytest.raises(UsageError, match=r"config.data.shuffle='global', not 'l"):
    Workdir(tmp_path).pin(config(data={'shuffle': 'lanes'}))


def test_status_is_replaced_whole(tmp_path):
  workdir = Workdir(tmp_path)
  workdir.write_status('running', 0, step=0)
  workdir.write_status('preempted', 42, step=7)
  assert json.loads((tmp_path / 'status.json').read_text()) == {
    'state': 'preempted',
    'exit_code': 42,
    'step': 7,
  }
  assert os.listdir(tmp_path) == ['status.json']


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(StorageError, match=r'Cannot write to .*\(--workdir\)'):
    Workdir(tmp_path / 'file' / 'run')
