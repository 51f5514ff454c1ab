"""Getting a sweep done, from its own command."""

import json

import pytest

from resflax.errors import ResflaxError, UsageError
from resflax.sweeps import local
from resflax.sweeps.grid import Planned
from tests.scripts.calling import call

CONFIG = 'configs/digits.py'


def runs(*seeds, **fields):
  return [
    Planned(f's{seed}', {'seed': seed, **fields}, 'runlocal') for seed in seeds
  ]


@pytest.mark.slow
def test_what_is_done_is_left_and_the_rest_is_trained(tmp_path, capfd):
  [row] = local.run_sweep(runs(0), CONFIG, str(tmp_path))
  assert row['state'] == 'done' and 0 <= row['test/top1'] <= 1
  assert capfd.readouterr().out.startswith('0 of 1 runs are done\ndone s0-')
  log = tmp_path / row['name'] / 'log.txt'
  before = log.read_bytes()

  first, second = local.run_sweep(runs(0, 1), CONFIG, str(tmp_path))
  assert '1 of 2 runs are done' in capfd.readouterr().out
  assert log.read_bytes() == before
  assert first == row and second['state'] == 'done'
  kept = (tmp_path / 'runs.jsonl').read_text().splitlines()
  assert [json.loads(line) for line in kept] == [first, second]


def test_a_run_that_fails_twice_leaves_the_others_done(tmp_path, monkeypatch):
  monkeypatch.setattr(local, '_POLL_S', 0.01)
  # Refused by the run itself, once it knows its data.
  wrong = runs(0, **{'data.train_split': 'nowhere'})
  with pytest.raises(ResflaxError, match='1 of 1 runs failed 2 times'):
    local.run_sweep(wrong, CONFIG, str(tmp_path))
  log = (tmp_path / wrong[0].name / 'log.txt').read_text()
  assert log.count("Unknown split of digits 'nowhere'") == 2


def test_two_sweeps_do_not_share_a_folder(tmp_path):
  with (
    local._locked(tmp_path),
    pytest.raises(UsageError, match='Another sweep is at work'),
  ):
    local.run_sweep(runs(0), CONFIG, str(tmp_path))


def test_more_jobs_than_cores(tmp_path):
  with pytest.raises(UsageError, match=r'--jobs=9999: this machine has'):
    local.run_sweep(runs(0), CONFIG, str(tmp_path), 9999)


def test_the_command_lists_its_runs():
  out = call(
    'sweep',
    f'--config={CONFIG}',
    '--sweep=configs/sweeps/learning_rate.py',
    '--workdir=unused',
    '--dry_run',
    '--config.seed=5',
    '--config.batch_size=32',
  )
  lines = out.stdout.splitlines()
  assert len(lines) == 9
  assert '--config.batch_size=32' in lines[0]
  assert '--config.seed=0' in lines[0]  # the sweep's own


@pytest.mark.parametrize('missing', ['config', 'sweep', 'workdir'])
def test_each_flag_is_needed(missing):
  given = {
    'config': CONFIG,
    'sweep': 'configs/sweeps/learning_rate.py',
    'workdir': 'unused',
  }
  del given[missing]
  out = call('sweep', *(f'--{k}={v}' for k, v in given.items()))
  assert (out.returncode, out.stderr) == (
    5,
    f'error: --{missing} is missing.\n',
  )
