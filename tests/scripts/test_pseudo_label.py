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
