"""Schema, config arguments and `resolve`."""

import dataclasses
import json
import subprocess
import sys

import pytest

from resflax import schema
from resflax.arguments import parse_arg, split_folder
from resflax.config import Facts, resolve
from resflax.errors import UsageError
from resflax.variants import complete

FACTS = Facts(
  num_examples=1281167,
  splits={'train_split': 'train[:98%]', 'test_split': 'validation'},
  split_reason='because',
)
RECIPE = {
  'batch_size': 1024,
  'schedule': {'total_epochs': 90, 'warmup_epochs': 5},
}


def resolved(*, facts=FACTS, **leaves):
  config = json.loads(json.dumps(RECIPE))
  for path, value in leaves.items():
    *groups, name = path.split('__')
    node = config
    for group in groups:
      node = node.setdefault(group, {})
    node[name] = value
  return resolve(config, facts)


def test_every_default_is_allowed_by_its_field():
  for path, field in schema.FIELDS.items():
    if field.default is not None:
      assert field.check(path, field.default) == field.default


@pytest.mark.parametrize(
  ('path', 'hint'),
  [
    ('lr', 'config.optimizer.lr'),
    ('modle.width', 'config.model.width'),
    ('model.widht', 'config.model.width'),
    ('schedule.epochs', 'config.schedule.total_epochs'),
    ('optimiser.momentun', 'config.optimizer.momentum'),
  ],
)
def test_unknown_field_names_the_near_one(path, hint):
  with pytest.raises(UsageError, match=f"Did you mean '{hint}'"):
    schema.field(path)


def test_group_given_as_a_field_lists_its_fields():
  with pytest.raises(UsageError, match=r'group of fields.*config.loss.label'):
    schema.field('loss')


@pytest.mark.parametrize(
  ('path', 'value'),
  [
    ('seed', 1.5),
    ('seed', True),
    ('seed', -1),
    ('batch_size', 0),
    ('model.depths', 3),
    ('model.depths', (3, 'x')),
    ('precision', 'bf16'),
    ('augment.flip', 1),
    ('optimizer.momentum', 1.1),
    ('optimizer.momentum', 1.0),  # of which nothing would be left
    ('optimizer.lr', float('nan')),
    ('schedule.total_epochs', float('inf')),
    ('resolution.custom', (0.0, float('inf'))),
    ('resolution.ramp_end', 101.0),
    ('data.name', None),
  ],
)
def test_wrong_value_is_refused_and_named(path, value):
  with pytest.raises(UsageError) as error:
    schema.field(path).check(path, value)
  assert f'config.{path}' in str(error.value) and str(value) in str(error.value)


def test_an_efficientnet_is_a_variant_without_a_resnets_fields():
  found = resolved(model__variant='efficientnet_b4', model__dropout_rate=0.4)
  assert found['model.norm.epsilon'] == 1e-3
  assert (found['model.padding'], found['model.width']) == ('same', None)
  assert found['model.scan_blocks'] == 'on'  # 32 blocks
  assert found.reasons['model.scan_blocks'] == '32 blocks; on from 30 on cpu'
  assert complete(found.group('model'))['dropout_rate'] == 0.4
  small = resolved(model__variant='efficientnet_b0')
  assert small['model.scan_blocks'] == 'off'


def test_int_is_a_float_but_comes_back_as_one():
  assert isinstance(schema.field('optimizer.lr').check('x', 1), float)


def test_parse_arg_by_big_visions_rules():
  spec = {'variant': 'a', 'batch': 8, 'runlocal': False}
  assert parse_arg(None, **spec) == spec
  assert parse_arg('b', **spec)['variant'] == 'b'
  assert parse_arg('runlocal', **spec)['runlocal'] is True
  assert parse_arg('b,batch=16,runlocal', **spec) == {
    'variant': 'b',
    'batch': 16,
    'runlocal': True,
  }
  assert parse_arg('runlocal=false', **spec)['runlocal'] is False


@pytest.mark.parametrize(
  'arg', ['a,unknown', 'a,x=1', 'batch=many', 'runlocal=maybe', 'batch=1.5']
)
def test_parse_arg_refuses(arg):
  with pytest.raises(UsageError, match='--config=file.py:argument'):
    parse_arg(arg, variant='a', batch=8, runlocal=False)


def test_parse_arg_leaves_what_has_a_type_alone_unset():
  spec = {'model': str, 'macs': float}
  assert parse_arg(None, **spec) == {'model': None, 'macs': None}
  assert parse_arg('a', **spec) == {'model': 'a', 'macs': None}
  assert parse_arg('macs=0', **spec) == {'model': None, 'macs': 0.0}
  with pytest.raises(UsageError, match='macs, which takes float'):
    parse_arg('macs=many', **spec)


def test_split_folder_allows_commas_and_equal_signs(tmp_path, monkeypatch):
  folder = tmp_path / 'a,b=c'
  folder.mkdir()
  monkeypatch.setenv('HOME', str(tmp_path))
  assert split_folder('~/a,b=c,x=1') == ('~/a,b=c', 'x=1')
  assert split_folder(str(folder)) == (str(folder), '')
  assert split_folder(f'{folder},variant=x,runlocal') == (
    str(folder),
    'variant=x,runlocal',
  )
  monkeypatch.setenv('HOME', str(tmp_path))
  assert split_folder('~/a,b=c,runlocal') == ('~/a,b=c', 'runlocal')
  for missing in (f'{tmp_path}/nothing', f'{tmp_path}/a,b=d/c'):
    with pytest.raises(UsageError, match=f"^'{missing}' names no folder"):
      split_folder(f'{missing},runlocal')
  with pytest.raises(UsageError, match='^No folder is given'):
    split_folder(None)


def test_durations_become_steps_with_a_reason():
  r = resolved()
  # 1,281,167 images / 1,024 = 1,251.14 steps an epoch
  assert r['schedule.total_steps'] == 112603
  assert r['schedule.warmup_steps'] == 6256
  assert r['eval_every_steps'] == 1251
  assert r['log_every_steps'] == 50
  assert '90 epochs' in r.reasons['schedule.total_steps']
  assert 'log_every_steps' not in r.reasons


def test_durations_in_other_units():
  r = resolved(schedule={'total_examples': 102400, 'warmup_percent': 10})
  assert r['schedule.total_steps'] == 100
  assert r['schedule.warmup_steps'] == 10


def test_learning_rate_is_linear_in_the_batch():
  assert resolved()['optimizer.peak_lr'] == pytest.approx(0.4)
  fixed = resolved(optimizer__lr_reference_batch=0)
  assert fixed['optimizer.peak_lr'] == 0.1


def test_variant_fills_what_is_unset_and_set_wins():
  r = resolved(model={'variant': 'resnet_rs_152', 'width': 0.5})
  assert r['model.depths'] == (3, 8, 36, 3)
  assert r['model.stem'] == 'deep_strided'
  assert r.reasons['model.depths'] == 'variant resnet_rs_152'
  assert r['model.width'] == 0.5
  assert 'model.width' not in r.reasons


def test_group_size_is_64_where_it_divides():
  assert resolved()['model.norm.group_size'] == 64
  assert resolved(batch_size=96)['model.norm.group_size'] == 0


def test_splits_follow_the_data_set_unless_set():
  r = resolved(data={'train_split': 'train[:10%]'})
  assert r['data.train_split'] == 'train[:10%]'
  assert r['data.test_split'] == 'validation'
  assert r.reasons['data.test_split'] == 'because'


def test_resolution_defaults_follow_each_other():
  r = resolved(resolution={'schedule': 'linear', 'train': 192})
  assert (r['resolution.start'], r['resolution.test']) == (96, 192)
  assert r['resolution.multiple'] == 32
  small = resolved(resolution={'schedule': 'linear', 'train': 32})
  assert small['resolution.multiple'] == 4


def test_steps_of_equal_pixels_keep_the_durations():
  """112 to 224 pixels, four stages of 22.5 epochs: 4, 2, 1 and 1 batches."""
  fields = {'schedule': 'linear', 'batch': 'pixels', 'stages': 4, 'multiple': 4}
  r, fixed = resolved(resolution=fields), resolved()
  for name in ('schedule.total_steps', 'schedule.warmup_steps'):
    assert r[name] == fixed[name]
  assert r['optimizer.peak_lr'] == fixed['optimizer.peak_lr']
  table = r['resolution.table']
  assert [s.resolution for s in table] == [112, 148, 188, 224]
  assert [s.batches for s in table] == [4, 2, 1, 1]
  # 28,151 / 4 leaves 3 batches; up to 56,302 there are 28,154 / 2.
  assert [s.first_step for s in table] == [0, 7037, 21114, 49264]
  assert r.total_steps == 77415 < fixed.total_steps == 112603


@pytest.mark.parametrize(
  ('leaves', 'message'),
  [
    ({'schedule': {}}, 'no length.*total_steps'),
    (
      {'schedule': {'total_epochs': 9, 'total_steps': 9}},
      'two durations.*=None',
    ),
    ({'schedule__warmup_epochs': 90}, 'warm-up .* does not end'),
    (
      {
        'batch_size': 2_000_000,
        'schedule': {'total_epochs': 1, 'warmup_epochs': 1},
      },
      'batch_size=2000000 exceeds the 1,281,167 training examples',
    ),
    (
      {'model': {'norm': {'momentum': 0}}, 'ema': {'decay': 0}},
      'momentum=0 .* config.ema.decay',
    ),
    ({'model': {'norm': {'group_size': 48}}}, '48 does not divide'),
    ({'optimizer': {'accumulate': 3}}, 'accumulate=3 does not divide'),
    (
      {'schedule__name': 'step', 'schedule__drops': ()},
      r'drops=\(\) takes percent',
    ),
    (
      {'schedule__name': 'step', 'schedule__drops': (1.0, 50.0)},
      'begins before the warm-up ends, at 5.56 % of the run',
    ),
    (
      {
        'resolution__schedule': 'ramp',
        'resolution__ramp_begin': 99.9995,
        'resolution__ramp_end': 100.0,
      },
      'The last stage has 112 pixels, and config.resolution.train=224',
    ),
    ({'data': {'std': (0.2, 0.0, 0.2)}}, r'0.0, 0.2\) divides: it takes'),
    (
      {'augment': {'randaugment': {'magnitude': 15.0}}},
      'magnitude=15.0 does nothing without layers',
    ),
    (
      {'resolution': {'schedule': 'linear', 'start': 256, 'train': 224}},
      'resolution rises',
    ),
    ({'resolution': {'batch': 'pixels'}}, 'does nothing at one resolution'),
    ({'resolution': {'strengths': 0.5}}, 'strengths=0.5 does nothing at one'),
    (
      {'resolution': {'strengths': 0.5, 'schedule': 'linear'}},
      'strengths=0.5 does nothing where all of .*mixup, .*dropout_rate are 0',
    ),
    ({'distill': {'weight': 0.5}}, 'weight=0.5 does nothing without a teacher'),
    (
      {
        'resolution': {'batch': 'pixels', 'schedule': 'linear'},
        'profile_steps': (3, 100_000),
      },
      'last step of the run',
    ),
    ({'data': {'mean': (0.5,)}}, 'one number a channel'),
    ({'profile_steps': (3,)}, 'first and the last step'),
    (
      {'resolution': {'custom': (0.0, 16.0)}},
      'schedule=fixed: set it to custom',
    ),
    (
      {
        'resolution': {
          'schedule': 'custom',
          'custom': (0.0, 16.0, 50.0, 32.0),
          'train': 48,
        }
      },
      'train=48 is not the last size of config.resolution.custom',
    ),
    *(
      (
        {'schedule': {'name': 'step', 'drops': drops, 'total_steps': 90}},
        'percent of the run, rising',
      )
      for drops in ((50.0, 30.0), (-1.0,), (50.0, 50.0), (100.0,))
    ),
    ({'writers': ('tensorbord',)}, 'tensorboard and wandb'),
    ({'model': {'variant': 'resnet51'}}, "Did you mean 'resnet50'"),
    ({'lr': 0.1}, "Did you mean 'config.optimizer.lr'"),
    ({'model': 3}, 'group of fields'),
  ],
)
def test_contradictions_are_refused(leaves, message):
  with pytest.raises(UsageError, match=message):
    resolved(**leaves)


def test_a_magnitude_may_stay_where_layers_are_taken_away():
  path = 'augment__randaugment__'
  r = resolved(**{f'{path}magnitude': 15.0, f'{path}layers': 0})
  assert r['augment.randaugment.magnitude'] == 15


def test_resolved_config_goes_through_json():
  r = resolved()
  stored = json.loads(json.dumps({'config': r.config, 'derived': r.derived}))
  assert stored['config']['schedule']['total_steps'] == 112603
  assert stored['derived']['optimizer.peak_lr']['value'] == pytest.approx(0.4)


def test_config_level_imports_no_jax():
  code = (
    'import sys, resflax.config, resflax.schema, resflax.scaling, '
    'resflax.variants, configs.digits\n'
    'configs.digits.get_config()\n'
    'bad = {"jax", "flax", "tensorflow", "numpy"} & set(sys.modules)\n'
    'print(sorted(bad))'
  )
  out = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert out.stdout.strip() in ('[]', "['numpy']"), out.stdout


@pytest.mark.parametrize(
  'given, platform, expected',
  [
    ({'variant': 'resnet50'}, 'cpu', 'off'),
    ({'variant': 'resnet_rs_152'}, 'cpu', 'on'),
    ({'variant': 'resnet_rs_152'}, 'tpu', 'off'),
    ({'variant': 'resnet_rs_420'}, 'tpu', 'on'),
    ({'variant': 'resnet_rs_420', 'scan_blocks': 'off'}, 'tpu', 'off'),
    ({'variant': 'resnet50', 'scan_blocks': 'on'}, 'cpu', 'on'),
  ],
)
def test_blocks_are_scanned_where_there_are_many(given, platform, expected):
  got = resolved(
    facts=dataclasses.replace(FACTS, platform=platform),
    **{f'model__{name}': value for name, value in given.items()},
  )
  assert got['model.scan_blocks'] == expected
  assert ('model.scan_blocks' in got.reasons) == ('scan_blocks' not in given)
