"""The command of sweeps: what it lists, sums up and refuses."""

import json

import pytest

from resflax.sweeps.grid import load_sweep
from resflax.sweeps.launchers import LAUNCHERS
from tests.scripts.calling import call

CONFIG = 'configs/digits.py'


def test_a_dry_run_lists_runs_with_their_costs(tmp_path):
  out = call(
    'sweep',
    f'--config={CONFIG}',
    '--sweep=configs/sweeps/learning_rate.py',
    f'--workdir={tmp_path / "unused"}',
    '--dry_run',
    '--config.batch_size=32',
  )
  head, *lines, total = out.stdout.splitlines()
  assert head.split() == ['run', 'params', 'MACs', 'training', 'FLOPs']
  assert len(lines) == 9 and total.startswith('9 runs, ')
  assert '--config.batch_size=32' in lines[0]
  assert '--config.seed=0' in lines[0]
  name, params, macs, flops, *_ = lines[0].split()
  assert (name[:7], params, macs) == ('lr0.05-', '688,610', '2,507,776')
  assert float(total.split()[2]) == pytest.approx(9 * float(flops), rel=0.01)
  assert not (tmp_path / 'unused').exists()


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
    "    add('b', against='a', published=0.7, seed=seed, batch_size=8)\n"
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
  assert '+3.00 (one seed)' in out.stdout and 'nan' not in out.stdout
  assert f'{planned[3].name}   waiting' in out.stdout
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
  assert 'published' in again.stdout and '+0.7' in again.stdout
  sweep.write_text("def sweep(add):\n  add('a', seed=0)")
  alone = call(*command)
  assert '3 more in' in alone.stdout and 'nothing is compared' in alone.stdout
  kept = (tmp_path / 'runs' / 'runs.jsonl').read_text().splitlines()
  assert len(kept) == 4
  both = call('sweep', f'--kept={sweep}', '--status')
  assert (both.returncode, both.stderr) == (
    5,
    'error: --kept does without --status: leave one of them out.\n',
  )
  wrong = call('sweep', f'--kept={sweep}')
  assert wrong.returncode == 5 and 'holds no runs' in wrong.stderr


@pytest.mark.parametrize('mode', ['', '--status', '--dry_run'])
def test_the_folder_of_a_run_is_refused(tmp_path, mode):
  (tmp_path / 'config.json').write_text('{}')
  flags = {**GIVEN, 'workdir': tmp_path}
  out = call('sweep', *(f'--{k}={v}' for k, v in flags.items()), *mode.split())
  assert (out.returncode, out.stdout) == (5, '')
  assert out.stderr.startswith(f'error: {tmp_path} is the folder of a run: ')
  assert out.stderr.count('\n') == 1
  assert [file.name for file in tmp_path.iterdir()] == ['config.json']


@pytest.mark.parametrize(
  'flags, message',
  [
    (['--gpus=1'], '--gpus=1 means nothing to --launcher=local'),
    (['--launcher=slurm'], '--launcher=slurm needs sbatch'),
    (['--launcher=ray', '--sbatch=-v'], '--sbatch=-v means nothing to'),
  ],
)
def test_a_launcher_refuses_before_the_runs_are_estimated(
  tmp_path, monkeypatch, flags, message
):
  sweep = tmp_path / 'sweep.py'
  # Which an estimate would refuse.
  sweep.write_text(
    "def sweep(add):\n  add(**{'data.train_split': 'nowhere'})\n"
  )
  monkeypatch.setenv('PATH', str(tmp_path))
  given = {**GIVEN, 'sweep': sweep, 'workdir': tmp_path / 'runs'}
  out = call('sweep', *(f'--{k}={v}' for k, v in given.items()), *flags)
  assert (out.returncode, out.stdout) == (5, '')
  assert out.stderr.startswith(f'error: {message}')
  assert out.stderr.count('\n') == 1
  assert not (tmp_path / 'runs').exists()


GIVEN = {
  'config': CONFIG,
  'sweep': 'configs/sweeps/learning_rate.py',
  'workdir': 'unused',
}


@pytest.mark.parametrize('missing', GIVEN)
def test_each_flag_is_needed(missing):
  given = {k: v for k, v in GIVEN.items() if k != missing}
  out = call('sweep', *(f'--{k}={v}' for k, v in given.items()))
  assert (out.returncode, out.stderr) == (
    5,
    f'error: --{missing} is missing.\n',
  )


@pytest.mark.parametrize(
  'flag, message',
  [
    ('--workdir=gs://bucket/sweep', '--workdir=gs://bucket/sweep has no locks'),
    ('--launcher=kubernetes', f'should be one of <{"|".join(LAUNCHERS)}>'),
    ('--jobs=0', 'flag --jobs=0'),
    ('--plot=x.pdf', '--plot=x.pdf takes a file that ends in .svg or .png'),
  ],
)
def test_flags_that_are_refused(flag, message):
  out = call('sweep', *(f'--{k}={v}' for k, v in GIVEN.items()), flag)
  assert out.returncode == 5 and message in out.stderr
  assert out.stderr.count('\n') == 1
