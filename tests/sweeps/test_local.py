"""Getting a sweep done, from its own command."""

import json

import pytest

from resflax.errors import ResflaxError, UsageError
from resflax.sweeps import local
from resflax.sweeps.grid import Planned, load_sweep
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


def finished(folder, top1):
  """Makes what a finished run leaves of itself for a sweep."""
  (folder / 'metrics').mkdir(parents=True)
  files = {
    'config.json': {'config': {}, 'derived': {}},
    'status.json': {'state': 'done', 'exit_code': 0},
    'metrics/000000000.jsonl': {'step': 4, 'time': 9.0, 'test/top1': top1},
  }
  for name, content in files.items():
    (folder / name).write_text(json.dumps(content) + '\n')


def test_status_compares_labels_seed_by_seed(tmp_path):
  sweep = tmp_path / 'sweep.py'
  sweep.write_text(
    'def sweep(add):\n'
    '  for seed in (0, 1):\n'
    "    add('a', seed=seed)\n"
    "    add('b', against='a', seed=seed, batch_size=8)\n"
  )
  plot = tmp_path / 'plot.png'
  command = (
    *('sweep', f'--config={CONFIG}', f'--sweep={sweep}', '--status'),
    *(f'--workdir={tmp_path / "runs"}', f'--plot={plot}'),
  )
  planned = load_sweep(str(sweep))
  for run, top1 in zip(planned[:3], (0.5, 0.53, 0.52), strict=True):
    finished(tmp_path / 'runs' / run.name, top1)
  out = call(*command)
  assert out.stdout.startswith('3 done, 1 waiting\n'), out.stderr
  assert '+3.00 ± nan' in out.stdout
  finished(tmp_path / 'runs' / planned[3].name, 0.57)
  out = call(*command)
  # Differences of 3 and 5 points: 12.706 * sqrt(2) / sqrt(2).
  assert '+4.00 ± 12.71' in out.stdout
  assert plot.read_bytes().startswith(b'\x89PNG')
  kept = (tmp_path / 'runs' / 'runs.jsonl').read_text().splitlines()
  assert [json.loads(line)['test/top1'] for line in kept] == [
    *(0.5, 0.53, 0.52, 0.57)
  ]
  again = call('sweep', f'--kept={tmp_path / "runs" / "runs.jsonl"}')
  assert again.stdout.startswith('4 done\n') and '+4.00 ± 12.71' in again.stdout
  wrong = call('sweep', f'--kept={sweep}')
  assert wrong.returncode == 5 and 'holds no runs' in wrong.stderr


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
