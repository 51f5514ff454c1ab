"""The commands of self-training, as a user calls them."""

import json

import pytest

from resflax.data.sources import load_dataset
from tests.scripts import calling


@pytest.mark.slow
def test_a_run_labels_a_split(tiny_run, tmp_path):
  out = tmp_path / 'data' / 'more'
  arguments = (
    'pseudo_label',
    f'--workdir={tiny_run.workdir}',
    '--dataset=digits',
    f'--data_dir={tiny_run.data_dir}',
    '--split=train@2[1400:]',
    '--min_confidence=0',
    '--per_class=0',
    '--top_k=3',
    '--compare_labels',
    f'--out={out}',
  )
  done = calling.call(*arguments, timeout=120)
  assert done.returncode == 0, done.stderr
  assert '37 images, 0 bad; 37 of confidence 0 and more' in done.stdout
  assert f'sources="(\'pseudo:{out}\',)"' in done.stdout
  dataset = load_dataset(f'pseudo:{out}')
  assert dataset.info.splits == {'train': 37} and dataset.soft == 3
  summary = json.loads((out / '1.0.0' / 'summary.json').read_text())
  truth = load_dataset('digits', tiny_run.data_dir).split('train@2[1400:]')
  labels = [dataset.split('train')[i]['label'] for i in range(37)]
  right = [labels[i] == truth[i]['label'] for i in range(37)]
  assert summary['agree']['all'] == pytest.approx(sum(right) / 37)
  assert summary['teacher'] == {'workdir': str(tiny_run.workdir)}


SWEEP = """
FIELDS = {'data.data_dir': 'DATA', 'data.train_split': 'train@1[:64]'}
FIELDS |= {'data.val_split': 'train@1[64:80]', 'seed': 1}


def unlabelled(draw):
  return f'train@{draw}[80:300]'


def sweep(add):
  add('control', **FIELDS)
  ratios = {'data.mixture.ratios': (1, 3)}
  add('student', against='control', **FIELDS, **ratios)
"""


@pytest.mark.slow
def test_a_student_learns_from_its_teachers_labels(tmp_path):
  sweep = tmp_path / 'few.py'
  sweep.write_text(SWEEP.replace('DATA', str(tmp_path / 'data')))
  arguments = (
    'self_train',
    '--config=tests/faults/config.py',
    f'--sweep={sweep}',
    '--draw=1',
    f'--workdir={tmp_path / "runs"}',
  )
  done = calling.call(*arguments, timeout=240)
  assert done.returncode == 0, done.stderr
  kept = (tmp_path / 'runs' / 'runs.jsonl').read_text().splitlines()
  control, student = map(json.loads, kept)
  assert (control['label'], student['label']) == ('control', 'student')
  [source] = student['fields']['data.mixture.sources']
  dataset = load_dataset(source)
  config = json.loads(
    (tmp_path / 'runs' / student['name'] / 'config.json').read_text()
  )['config']
  assert config['data']['mixture']['ratios'] == [1, 3]
  assert dataset.soft == 10 and dataset.info.splits['train'] > 0
  for row in (control, student):
    assert f'{row["label"]}: test top1 {row["test/top1"]:.2%}' in done.stdout
  other = [
    a.replace('tests/faults/config', 'configs/digits') for a in arguments
  ]
  done = calling.call(*other, timeout=240)
  assert done.returncode == 5 and 'was begun with' in done.stderr, done.stderr


def test_usage_errors_are_one_line(tmp_path):
  for says, *arguments in (
    ('Give one of --workdir', 'pseudo_label', '--dataset=digits', '--out=x'),
    ('--dataset is missing', 'pseudo_label', '--workdir=x', '--out=x'),
    ('--out is missing', 'pseudo_label', '--workdir=x', '--dataset=digits'),
    ('--sweep is missing', 'self_train', '--config=configs/digits.py'),
    (
      "no runs 'control' and 'student' with seed=0",
      'self_train',
      '--config=configs/digits.py',
      '--sweep=configs/sweeps/learning_rate.py',
      f'--workdir={tmp_path}',
    ),
  ):
    done = calling.call(*arguments, timeout=120)
    assert done.returncode == 5, done.stderr
    assert says in done.stderr and done.stderr.count('\n') == 1
