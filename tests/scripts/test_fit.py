"""The command: its files, its tables and its refusals."""

import csv
import json

import pytest

from tests.scripts.calling import call
from tests.sweeps.folders import write_sweep


@pytest.mark.slow
def test_the_published_tables_become_files(tmp_path):
  out = call('fit', '--published', f'--out={tmp_path}', '--refits=200')
  assert out.returncode == 0, out.stderr
  assert 'RS-420 @ 320' in out.stdout and 'OUTSIDE' in out.stdout
  found = json.loads((tmp_path / 'fit.json').read_text())
  law = found['fits']['ResNet-RS']['laws']['frontier']
  low, high = law['exponent']['interval']
  assert low < law['exponent']['value'] < high
  assert found['provenance']['scipy'] and found['provenance']['command']
  with open(tmp_path / 'fit.csv') as file:
    rows = list(csv.DictReader(file))
  assert len(rows) == 19
  assert rows[0]['depths'] == '3 4 6 3' and rows[-1]['label'] == 'B7'
  for name in ('fit', 'frontier'):
    assert (tmp_path / f'{name}.png').read_bytes().startswith(b'\x89PNG')
    assert '<svg' in (tmp_path / f'{name}.svg').read_text()
  out = call('fit', f'--points={tmp_path / "fit.csv"}', '--metric=loss')
  assert out.returncode == 5 and 'RS-50 @ 160 has no loss' in out.stderr


@pytest.mark.slow
def test_a_fit_starts_again_from_its_table(tmp_path):
  folder, again = tmp_path / 'sweep', tmp_path / 'again'
  write_sweep(folder, seeds=2)
  first = call('fit', f'--workdir={folder}', '--refits=200', '--json')
  second = call(
    'fit',
    f'--points={folder / "fit.csv"}',
    *(f'--out={again}', '--refits=200', '--json'),
  )
  assert second.returncode == 0, second.stderr
  laws = [
    json.loads(out.stdout)['fits']['sweep']['laws'] for out in (first, second)
  ]
  assert laws[0] == laws[1] and 'exponent' in laws[0]['frontier']
  assert (again / 'fit.csv').read_text() == (folder / 'fit.csv').read_text()
  points = json.loads(first.stdout)['fits']['sweep']['points']
  least = f'--min_flops={points[2]["compute"]}'
  large = call(
    *('fit', f'--points={folder / "fit.csv"}', least, '--refits=200', '--json')
  )
  assert json.loads(large.stdout)['fits']['sweep']['points'] == [
    {**point, 'folders': []} for point in points[2:]
  ]
  few = again / 'few.csv'
  few.write_text('\n'.join((again / 'fit.csv').read_text().split('\n')[:3]))
  out = call('fit', f'--points={few}', '--refits=200')
  assert out.returncode == 5 and '2 design points' in out.stderr


@pytest.mark.slow
def test_pairs_are_enough_where_they_are_asked_for(tmp_path):
  write_sweep(tmp_path, [(3, 0.25, 16), (1, 0.375, 16)], seeds=2)
  out = call('fit', f'--workdir={tmp_path}', '--refits=100')
  assert out.returncode == 5 and 'no law: 2 design points,' in out.stderr
  for folder in tmp_path.glob('b*'):
    (folder / 'train_loss.json').write_text('{"loss": 0.5}')
  out = call('fit', f'--workdir={tmp_path}', '--refits=100', '--train_loss')
  assert out.returncode == 0, out.stderr
  assert 'b1_w0.375_r16 minus b3_w0.25_r16' in out.stdout


@pytest.mark.parametrize(
  'arguments, message',
  [
    ([], 'Give one of --workdir'),
    (['--published', '--workdir=x'], 'Give one of --workdir'),
    (['--points=x.csv', '--workdir=x'], 'Give one of --workdir'),
    (['--points=x.csv'], "x.csv': No such file"),
    (['--points=x.csv', '--train_loss'], '--train_loss needs the runs'),
    (['--points='], '--points is empty.'),
    (['--published', '--out=README.md/x'], "README.md' is a file (--out)"),
    (['--workdir=nowhere'], "There is no folder 'nowhere'"),
    (['--workdir=tests'], 'it has no runs.'),
    (['--published', '--metric=loss'], '--published has errors alone'),
    (['--published', '--min_flops=1e30'], '--min_flops=1e+30 leaves no point'),
    (['--published', '--level=nan'], '--level=nan is not a finite number'),
    (['--published', '--decades=-1'], '--decades'),
    (['--published', '--decades=3', '--refits=100'], 'There is no law: 1.45'),
  ],
)
def test_what_is_refused(arguments, message):
  out = call('fit', *arguments)
  assert out.returncode == (6 if '--out' in message else 5)
  assert message in out.stderr and out.stderr.count('\n') == 1
