"""Combinations of fields, and sweep files of big_vision's older style."""

import pytest

from resflax.errors import UsageError
from resflax.sweeps.grid import chainit, load_sweep, product, zipit
from tests.sweeps.test_grid import written


def test_product_is_every_combination():
  assert product(a=(1, 2), b='xy') == [
    {'a': 1, 'b': 'x'},
    {'a': 1, 'b': 'y'},
    {'a': 2, 'b': 'x'},
    {'a': 2, 'b': 'y'},
  ]
  assert product() == [{}]


def test_parts_are_combined_again():
  shapes = zipit(width=(0.5, 1.0), depth=(3, 1))
  assert shapes == [{'width': 0.5, 'depth': 3}, {'width': 1.0, 'depth': 1}]
  runs = product(chainit(shapes, [{'width': 2.0}]), seed=range(2))
  assert len(runs) == 6
  assert runs[:2] == [
    {'width': 0.5, 'depth': 3, 'seed': 0},
    {'width': 0.5, 'depth': 3, 'seed': 1},
  ]
  assert runs[-1] == {'width': 2.0, 'seed': 1}


def test_what_cannot_be_combined():
  message = 'equally many of each, not 2 of a, 3 of b'
  with pytest.raises(UsageError, match=message):
    zipit(a=(1, 2), b=(1, 2, 3))
  with pytest.raises(UsageError, match='seed is set twice'):
    product([{'seed': 1}], seed=(2, 3))


OLD = """
def get_hyper(hyper):
  def fix(**kw):
    return hyper.product([
        hyper.fixed(f'config.{k}', v, length=1) for k, v in kw.items()])

  return hyper.product([
      hyper.chainit([fix(batch_size=32), fix(batch_size=64, seed=7)]),
      hyper.zipit([
          hyper.sweep('config.optimizer.lr', [0.1, 0.2]),
          hyper.sweep('model.width', hyper.discrete([0.5, 1.0]))]),
      hyper.sweep('config.augment.flip', hyper.boolean()),
      hyper.sweep('config_arg', hyper.categorical(['resnet20']))])
"""


def test_get_hyper_lists_runs_with_keys_of_either_kind(tmp_path):
  runs = load_sweep(written(tmp_path, OLD))
  assert len(runs) == 8
  assert runs[0].fields == {
    'batch_size': 32,
    'optimizer.lr': 0.1,
    'model.width': 0.5,
    'augment.flip': False,
  }
  assert runs[-1].fields['seed'] == 7
  assert {run.config_arg for run in runs} == {'resnet20'}


def test_runs_without_a_label_are_called_by_what_they_set(tmp_path):
  first, *_, last = load_sweep(written(tmp_path, OLD))
  assert first.label == 'resnet20,batch_size=32,lr=0.1,width=0.5,flip=false'
  assert last.label == 'resnet20,batch_size=64,lr=0.2,width=1.0,flip=true'
  text = "def sweep(add):\n  add(**{'data.name': 'folder:/a b', 'seed': 1})"
  [run] = load_sweep(written(tmp_path, text))
  assert run.label == 'name=folder_a_b'
  [run] = load_sweep(written(tmp_path, 'def sweep(add):\n  add(seed=1)'))
  assert run.label == 'base'
  text = (
    "def sweep(add):\n  for a in ('resnet20', 'resnet56'): add(config_arg=a)"
  )
  labels = [
    run.label for run in load_sweep(written(tmp_path, text), 'resnet20')
  ]
  assert labels == ['base', 'resnet56']
  decay = "add(**{'optimizer.momentum': 0.9, 'model.norm.momentum': 0.8})"
  [run] = load_sweep(written(tmp_path, f'def sweep(add):\n  {decay}'))
  assert run.label == 'optimizer.momentum=0.9,model.norm.momentum=0.8'


def test_long_labels_differ_where_their_ends_do(tmp_path):
  fields = [f"'schedule.{name}': {value}" for name, value in LONG.items()]
  text = (
    f'def sweep(add):\n  for f in (0.1, 0.2): add(**{{{", ".join(fields)}, '
  )
  text += "'schedule.drop_factor': f})"
  first, second = load_sweep(written(tmp_path, text))
  assert first.label[:70] == second.label[:70]
  assert first.label != second.label and len(first.label) == 80


LONG = {'total_steps': 10**30, 'warmup_steps': 10**25, 'name': "'cosine'"}


@pytest.mark.parametrize(
  'call, message',
  [
    ("hyper.sweep('config.widht', [1])", 'Unknown field config.widht'),
    ("hyper.uniform('seed', 1)", 'hyper.uniform is not known here, .* sweep,'),
    ('hyper.product([hyper.sweep("seed", [])])', 'adds no run'),
    ('3', 'sweep.py returns 3, but it takes a list of dicts'),
    ('None', 'returns None, but'),
    ("{'seed': 1}", "returns {'seed': 1}, but"),
    ('[hyper.sweep("seed", [1])]', r"returns \[\[{'seed': 1}\]\], but"),
  ],
)
def test_what_get_hyper_may_not_say(tmp_path, call, message):
  with pytest.raises(UsageError, match=message):
    load_sweep(written(tmp_path, f'def get_hyper(hyper):\n  return {call}'))
