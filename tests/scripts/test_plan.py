"""The plan as a command, without the data set."""

import functools
import json

import pytest

from tests.scripts.calling import call
from tests.sweeps.folders import LADDER, write_sweep

CONFIG = '--config=configs/imagenet/resnet.py:resnet_rs_50,batch=4096'
RULE = ('--config.scaling.rule=resnet_rs', '--config.scaling.macs=12e9')
LONG = '--config.schedule.total_epochs=350'


plan = functools.partial(call, 'plan', timeout=120)


@pytest.mark.slow
def test_a_plan_names_the_model_its_neighbours_and_the_reasons(tmp_path):
  data = f'--config.data.data_dir={tmp_path}'
  out = plan(CONFIG, *RULE, LONG, data, '--config.ema.decay=0.9999')
  assert out.returncode == 0, out.stderr
  for expected in ('3-8-36-3', '8.75', '15.53', 'depth: 350', '-> '):
    assert expected in out.stdout
  out = plan(CONFIG, *RULE, data, '--config.ema.decay=0.9999', '--json')
  found = json.loads(out.stdout)
  assert found['grow'] == 'undecided'  # 90 epochs
  below, above = found['neighbours']
  assert below['macs'] < found['macs'] < above['macs']
  assert found['fields']['resolution.train'] == {'value': 224, 'reason': 'set'}
  out = plan(CONFIG, *RULE, data, '--config.ema.decay=0.9999')
  words = ' '.join(out.stdout.split())
  assert 'deep: 3-8-36-3 blocks' in words and 'wide: 3-4-23-3 blocks' in words
  assert "--config.model.depths='(3,4,23,3)' --config.model.width=1.25" in words
  rate = found['fields']['model.dropout_rate']
  assert rate['value'] == 0 and 'no regulariser' in rate['reason']


@pytest.mark.slow
def test_a_published_model_stands_among_its_neighbours(tmp_path):
  config = '--config=configs/imagenet/resnet_rs.py:rs152_i256'
  out = plan(config, f'--config.data.data_dir={tmp_path}', '--json')
  found = json.loads(out.stdout)
  assert (found['depths'], found['resolution']) == ([3, 8, 36, 3], 256)
  assert found['source'] == 'published' and found['grow'] == 'depth'
  assert [row['resolution'] for row in found['neighbours']] == [224, 256]
  assert found['fields']['model.dropout_rate'] == {
    'value': 0.25,
    'reason': 'set',
  }


@pytest.mark.slow
def test_a_net_below_the_path_is_told_so(tmp_path):
  config = '--config=configs/imagenet/resnet_rs.py:rs50_i160'
  data = f'--config.data.data_dir={tmp_path}'
  out = plan(config, '--config.model.width=0.25', data)
  assert out.returncode == 5
  assert 'this config, 0.144 GMAC, lies below the path' in out.stderr


def test_a_config_without_a_rule_is_refused():
  out = plan('--config=configs/imagenet/resnet.py')
  assert out.returncode == 5
  assert 'has no rule to plan by' in out.stderr


@pytest.mark.slow
def test_a_sweep_gives_the_next_config_and_that_trains(tmp_path):
  sweep, file = tmp_path / 'sweep', tmp_path / 'next.py'
  write_sweep(sweep)
  out = plan(f'--from_sweep={sweep}', f'--write={file}', '--json')
  assert out.returncode == 0, out.stderr
  found = json.loads(out.stdout)
  assert found['law'] == 'frontier' and found['decades_beyond'] > 0.4
  assert len(found['provenance']['configs']) == len(LADDER)
  text = file.read_text()
  assert f'c.model.width = {found["fields"]["model.width"]["value"]}' in text
  data = f'--config.data.data_dir={tmp_path}'
  out = call('train', f'--config={file}:runlocal', data, timeout=240)
  assert out.returncode == 0, out.stderr
  assert 'test top1' in out.stdout


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['--from_sweep=nowhere'], "There is no folder 'nowhere' (--from_sweep)"),
    (['--from_sweep=tests'], 'it has no runs. Give the --workdir'),
    (['--from_sweep=tests', '--error=12'], '12 % are 0.12'),
    (['--flops=1e15'], '--flops=1000000000000000.0 is for --from_sweep=DIR'),
    ([CONFIG, *RULE, '--grow=depth'], '--grow=depth is for --from_sweep=DIR'),
  ],
)
def test_sweeps_that_are_refused(arguments, message):
  out = plan(*arguments)
  assert out.returncode == 5
  assert message in out.stderr and out.stderr.count('\n') == 1
