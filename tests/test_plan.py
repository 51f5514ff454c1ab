"""A config with a budget becomes the published recipe, or says why not."""

import pytest

from resflax import path
from resflax.config import Facts, plan_of, point_of, resolve
from resflax.errors import UsageError
from resflax.plan import plan_for
from tests.test_rules import TABLE

IMAGENET = Facts(1_281_167, {}, '')
POINTS = {p.key: p for p in path.published()}


def resolved(
  *, epochs=350.0, batch=4096, variant='resnet_rs_50', model=None, **scaling
):
  return resolve(
    {
      'batch_size': batch,
      'model': {'variant': variant, **(model or {})},
      'scaling': {'rule': 'resnet_rs', **scaling},
      'schedule': {'total_epochs': epochs},
    },
    IMAGENET,
  )


@pytest.mark.parametrize('key', TABLE, ids=lambda key: f'{key[0]}@{key[1]}')
def test_the_eleven_recipes_follow_from_their_budgets(key):
  point = POINTS[key]
  config = resolved(macs=float(point.macs))
  assert tuple(config['model.depths']) == point.depths
  assert config['model.width'] == 1.0
  assert config['resolution.train'] == config['resolution.test'] == key[1]
  rates = config['model.dropout_rate'], config['model.stochastic_depth_rate']
  assert rates == TABLE[key]
  randaugment = config.group('augment')['randaugment']
  magnitude = 10 if key[1] == 160 else 15  # of the same files
  assert randaugment == {'layers': 2, 'magnitude': magnitude, 'source': 'tpu'}
  assert config['optimizer.peak_lr'] == 1.6
  assert config['optimizer.weight_decay'] == 4e-5
  assert 'published' in config.reasons['model.depths']


def test_a_short_run_is_wide_and_has_no_regularisers():
  config = resolved(macs=12e9, epochs=10.0)
  assert config['model.width'] > 1
  assert config['model.depths'] == (3, 4, 23, 3)
  assert config['model.dropout_rate'] == 0
  assert config['augment.randaugment.layers'] == 0
  assert config['optimizer.weight_decay'] == 1e-4
  assert 'cannot overfit' in config.reasons['model.width']


@pytest.mark.parametrize('batch', [128, 512, 1024, 2048, 4096])
def test_limits_do_not_hang_on_the_rounding_to_steps(batch):
  def reasons(epochs):
    return resolved(macs=12e9, epochs=epochs, batch=batch).reasons

  assert 'can overfit' in reasons(100.0)['model.width']
  assert '40 epochs cannot overfit' in reasons(40.0)['model.width']
  assert 'ResNet-RS' in reasons(250.0)['model.dropout_rate']
  assert 'fewer than 250' in reasons(249.0)['model.dropout_rate']


def test_a_short_run_may_be_smaller_than_the_smallest_deep_net():
  with pytest.raises(UsageError, match='too small: the smallest net'):
    resolved(macs=5e8)
  assert resolved(macs=5e8, epochs=10.0)['model.width'] == 0.5


def test_what_is_set_wins():
  config = resolved(macs=12e9, model={'dropout_rate': 0.5, 'width': 0.75})
  assert config['model.dropout_rate'] == 0.5
  assert config['model.width'] == 0.75
  assert config['model.depths'] == (3, 8, 36, 3)
  config = resolved(macs=12e9, epochs=10.0, grow='depth')
  assert config['model.width'] == 1.0


def test_the_rules_follow_the_net_that_is_trained():
  """Not the one that the budget would have."""
  deep = {'depths': (3, 24, 36, 3)}
  config = resolved(macs=6e9, model=deep)
  assert config['resolution.train'] == 192
  assert config['model.stochastic_depth_rate'] == 0.1
  assert config.reasons['model.dropout_rate'].endswith('not of the path')
  large = resolve(
    {
      'model': {'variant': 'resnet_rs_50'},
      'resolution': {'train': 448},
      'scaling': {'rule': 'resnet_rs', 'macs': 12e9},
      'schedule': {'total_epochs': 350.0},
    },
    IMAGENET,
  )
  assert large.reasons['model.dropout_rate'].endswith('path, extrapolated')
  plan = plan_of(config, IMAGENET.num_examples)
  told = plan.excess(point_of(config, plan))
  assert told.startswith('what is set makes the net cost 11.')
  assert told.endswith('GMAC, above 6 GMAC')
  config = resolved(latency_ms=410.0, model={'width': 2.0})
  plan = plan_of(config, IMAGENET.num_examples)
  assert 'ms, above 410 ms on TPU v3' in plan.excess(point_of(config, plan))
  config = resolved(macs=12e9)
  plan = plan_of(config, IMAGENET.num_examples)
  assert point_of(config, plan) == plan.point
  assert plan.excess(plan.point) == ''


def test_label_smoothing_is_for_long_runs():
  assert resolved(macs=12e9)['loss.label_smoothing'] == 0.1
  assert resolved(macs=12e9, epochs=90.0)['loss.label_smoothing'] == 0


def test_without_regularisers_the_decay_is_larger():
  model = {'dropout_rate': 0.0, 'stochastic_depth_rate': 0.0}
  assert resolved(macs=12e9, model=model)['optimizer.weight_decay'] == 1e-4


@pytest.mark.parametrize('macs', [9e8 * 1.11**n for n in range(50)])
def test_the_two_nets_that_would_decide_are_of_equal_macs(macs):
  deep, wide = plan_for(epochs=60, macs=macs).pair()
  assert wide.width > deep.width and sum(wide.depths) < sum(deep.depths)
  assert wide.resolution == deep.resolution
  assert max(wide.macs, deep.macs) <= 1.1 * min(wide.macs, deep.macs)


def test_the_rules_decay_is_that_of_momentum():
  fields = {'macs': 12e9, 'rule': 'resnet_rs'}
  config = resolve(
    {
      'batch_size': 4096,
      'model': {'variant': 'resnet_rs_50'},
      'optimizer': {'name': 'lamb'},
      'scaling': fields,
      'schedule': {'total_epochs': 350.0},
    },
    IMAGENET,
  )
  assert config['optimizer.weight_decay'] == 1e-4
  assert 'L2 beside momentum' in config.reasons['optimizer.weight_decay']


def test_between_the_limits_nothing_is_decided():
  plan = plan_for(epochs=60, macs=12e9)
  assert plan.growth.value == 'undecided'
  assert plan.point.width == 1.0
  assert 'run both' in plan.shape()['model.width'].reason


def test_a_latency_is_a_budget_too():
  config = resolved(latency_ms=410.0)
  assert config['model.depths'] == (3, 8, 36, 3)
  assert config['resolution.train'] == 256
  plan = plan_for(epochs=10, latency_ms=410.0)
  assert 'deep net of that time' in plan.shape()['model.width'].reason
  wide = plan.point
  assert wide.width > 1 and wide.macs <= POINTS['resnet_rs_152', 256].macs


@pytest.mark.parametrize(
  'options, message',
  [
    ({}, 'has no budget: set one of config.scaling.macs'),
    ({'macs': 1e9, 'latency_ms': 70.0}, 'has two budgets'),
    ({'macs': 1e8}, 'A budget of 1e.08 is too small'),
    ({'macs': 1e10, 'variant': 'resnet50'}, 'resnet50 is not of the family'),
    ({'rule': 'off', 'macs': 1e10}, 'config.scaling.macs=.* does nothing'),
  ],
)
def test_a_budget_that_means_nothing_is_refused(options, message):
  with pytest.raises(UsageError, match=message):
    resolved(**options)


def test_without_a_rule_nothing_changes():
  config = resolve({'schedule': {'total_epochs': 90.0}}, IMAGENET)
  assert config['optimizer.weight_decay'] == 1e-4
  assert config['model.depths'] == (3, 4, 6, 3)
