"""The plan as a command, without the data set."""

import functools
import json

import pytest

from tests.scripts.calling import call

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
  assert found['fields']['resolution.train'] == {'value': 224, 'reason': 'set'}
  rate = found['fields']['model.dropout_rate']
  assert rate['value'] == 0 and 'no regulariser' in rate['reason']


def test_a_config_without_a_rule_is_refused():
  out = plan(CONFIG)
  assert out.returncode == 5
  assert 'has no rule to plan by' in out.stderr
