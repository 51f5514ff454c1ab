"""One host looked at: what is well, and what a run would end with."""

import json
import os
import shutil
from collections import namedtuple

import jax
import pytest

from configs.digits import get_config
from resflax import schema
from resflax.data.sources import load_dataset
from resflax.doctor import budget, devices, folder, run
from resflax.doctor.examine import examine
from resflax.doctor.findings import exit_code
from resflax.parallel.cluster import Cluster
from resflax.training.assemble import assemble
from resflax.training.workdir import Workdir


def look(config=None, workdir=None, cluster=None, environ=()):
  """Returns the rows by check, and the exit code."""
  made = examine(
    config and config.to_dict(),
    workdir and str(workdir),
    cluster=cluster,
    join=lambda: None,
    environ=dict(environ),
    wait_seconds=0.2,
  )
  return {row.check: row for row in made.rows}, exit_code(made.rows)


@pytest.fixture
def config():
  return get_config('runlocal')


def test_a_run_that_can_start(config, tmp_path):
  rows, code = look(config, tmp_path / 'new' / 'run')
  assert code == 0
  assert {row.verdict for row in rows.values()} == {'ok'}
  assert '1,408 to train, 29 to val, 360 to test' in rows['data set'].found
  assert rows['batch size'].found == '16, which is 16 a device'
  assert 'can be written' in rows['run folder'].found
  assert rows['run in it'].found == 'none yet'
  assert not (tmp_path / 'new').exists()  # nothing is left


def test_the_machine_alone():
  rows, code = look()
  assert code == 0
  assert list(rows) == [
    *('environment', 'devices', 'sum over devices', 'versions', 'memory'),
  ]


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
  look(workdir=tmp_path)
  assert tmp_path.is_dir() and not list(tmp_path.iterdir())


def test_a_missing_process_is_named_before_devices_are_asked():
  alone = Cluster('flags', '127.0.0.1:0', 2, 0)
  rows, code = look(cluster=alone)
  assert code == 75 and 'devices' not in rows
  assert 'Process 1 of 2 did not come' in rows['hosts'].found


@pytest.mark.parametrize(
  'change, check, code, said',
  [
    ({'batch_size': 0}, 'config', 5, 'config.batch_size=0'),
    ({'data.name': 'cifar100'}, 'data set', 5, 'not prepared'),
    ({'data.data_dir': 's3://mine'}, 'data set', 5, 'neither a local folder'),
    ({'model.stem': 'deeep'}, 'config', 5, "Did you mean 'deep'"),
    ({'data.workers': 10_000}, 'config', 5, 'config.data.workers=10000'),
  ],
)
def test_what_a_run_would_refuse(config, change, check, code, said):
  config.update_from_flattened_dict(change)
  rows, found = look(config)
  assert (rows[check].verdict, rows[check].exit_code, found) == (
    *('failed', code),
    code,
  )
  assert said in rows[check].found


def test_a_teacher_that_is_not_there(config, tmp_path):
  config.distill.teacher = str(tmp_path / 'nobody')
  rows, code = look(config)
  assert code == 5 and rows['config'].verdict == 'failed'
  assert 'nobody' in rows['config'].found


def test_data_that_are_damaged(config, tmp_path):
  config.data.data_dir = str(tmp_path)
  shutil.copytree(load_dataset('digits').folder, tmp_path / 'digits' / '1.0.0')
  assert look(config)[1] == 0
  [shard, *_] = sorted(tmp_path.rglob('*train.array_record*'))
  os.truncate(shard, 1000)
  rows, code = look(config)
  assert code == rows['data set'].exit_code == 4
  assert str(shard) in rows['data set'].found


def test_a_run_of_another_config_in_the_folder(config, tmp_path):
  setup = assemble(config.to_dict())
  Workdir(tmp_path).pin(setup.resolved, vars(setup.dataset.info))
  rows, _ = look(config, tmp_path)
  assert rows['run in it'].found == 'begun, saved at 0 of 4'
  config.optimizer.lr = 0.2
  rows, code = look(config, tmp_path)
  assert code == 5 and 'optimizer.lr=0.1, not 0.2' in rows['run in it'].found


def test_a_folder_that_cannot_be_written():
  rows, code = look(workdir='/proc/none/run')
  assert code == 6 and 'Cannot write' in rows['run folder'].found


def test_a_disk_that_is_too_small(config, tmp_path, monkeypatch):
  setup = assemble(config.to_dict())
  one = sum(budget.state_bytes(setup).values())
  # Three parameter trees, and statistics twice.
  params = sum(x.size for x in jax.tree.leaves(setup.state_shapes.params))
  stats = sum(x.size for x in jax.tree.leaves(setup.state_shapes.batch_stats))
  assert one == 4 * (3 * params + 2 * stats)
  kept = 2 + 1 + 1  # the newest two, the best, one in the making
  assert budget.checkpoints_kept(setup) == kept

  usage = namedtuple('usage', 'free')
  for free, verdict in (
    (kept * one - 1, 'failed'),
    (kept * one + 1, 'warning'),
    (3 * kept * one, 'ok'),
  ):
    monkeypatch.setattr(shutil, 'disk_usage', lambda _, f=free: usage(f))
    found = folder.examine_disk(str(tmp_path / 'run'), setup)
    assert found.verdict == verdict, found
    assert found.exit_code == (6 if verdict == 'failed' else 0)
  (tmp_path / 'run' / 'checkpoints').mkdir(parents=True)
  (tmp_path / 'run' / 'checkpoints' / 'old').write_bytes(b'x' * one)
  monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage(kept * one - 1))
  found = folder.examine_disk(str(tmp_path / 'run'), setup)
  assert found.verdict == 'warning'  # what is there is paid for


def test_checkpoints_that_are_kept_for_good_count(config):
  config.schedule.total_steps = 100
  config.keep.update(last=3, every=10)
  assert budget.checkpoints_kept(assemble(config.to_dict())) == 3 + 1 + 10 + 1


def test_a_host_with_too_little_memory(config, monkeypatch):
  need = sum(budget.memory_bytes(assemble(config.to_dict())).values())
  for free, verdict in (
    (need - 1, 'failed'),
    (need + 1, 'warning'),
    (3 * need, 'ok'),
  ):
    monkeypatch.setattr(budget, 'free_memory', lambda f=free: f)
    assert look(config)[0]['memory'].verdict == verdict


def test_what_a_batch_has_to_be_a_multiple_of(config):
  """The suggestions are what the run itself takes."""
  for parts, group, unit in (
    (1, None, 8),
    (1, 64, 64),
    (1, 12, 24),
    (2, 4, 64),
    (2, None, 1024),
  ):
    config.optimizer.accumulate = parts
    config.model.norm.group_size = group
    values = schema.complete(config.to_dict())
    assert run.unit_of(values, 8) == unit
  config.update(batch_size=100)
  config.optimizer.accumulate = 1
  config.model.norm.group_size = 12
  values = schema.complete(config.to_dict())
  assert run.nearest(values, 8) == [96, 120]
  for size in run.nearest(values, 1):
    config.batch_size = size
    assert assemble(config.to_dict()).resolved['batch_size'] == size


def test_a_batch_that_does_not_divide(config):
  config.model.norm.group_size = 10
  rows, code = look(config)
  assert code == 5 and rows['batch size'].verdict == 'failed'
  assert rows['batch size'].to_do.endswith('the nearest are 10 and 20')
  assert rows['memory'].verdict == 'ok'  # the rest is looked at all the same


def test_a_gpu_that_jax_does_not_find(monkeypatch):
  monkeypatch.setattr(devices, '_here', lambda: ['gpu'])
  rows, code = look()
  assert (rows['devices'].verdict, code) == ('warning', 0)
  assert rows['devices'].to_do == "pip install -e '.[cuda]'"
  rows, _ = look(environ={'JAX_PLATFORMS': 'cpu'})
  assert rows['devices'].to_do == 'unset JAX_PLATFORMS'


def test_rows_are_plain_data():
  rows, _ = look()
  assert json.loads(json.dumps([vars(row) for row in rows.values()]))
