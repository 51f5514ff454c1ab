"""What a run is told before its first step."""

import numpy as np
import pytest

from resflax.config import Facts, resolve
from resflax.training.announce import left_of_average, notes

FACTS = Facts(50_000, {}, '')


def told(**config):
  resolved = resolve({'schedule': {'total_steps': 1000}, **config}, FACTS)
  return list(notes(resolved, FACTS.num_examples))


@pytest.mark.parametrize('percent, tells', [(60.0, False), (80.0, True)])
def test_a_short_last_stage_is_told(percent, tells):
  """An average of weights is then one of other sizes, for the most part."""
  table = {'schedule': 'custom', 'custom': (0.0, 16.0, percent, 32.0)}
  lines = told(resolution=table)
  assert len(lines) == tells
  if tells:
    assert '14% of the average of weights and statistics are' in lines[0]
  assert not told(resolution=table, ema={'decay': 0.0})


def test_steps_of_several_batches_count_once():
  """2 % of the batches, and 24 of 85 steps: the first 61 take sixteen each."""
  table = {'schedule': 'custom', 'custom': (0.0, 16.0, 98.0, 64.0)}
  (line,) = told(resolution=table | {'batch': 'pixels'})
  assert 'of earlier resolutions: lengthen the last stage' in line
  assert not told(
    resolution=table | {'batch': 'pixels', 'custom': (0.0, 16.0, 80.0, 64.0)}
  )


def test_what_an_average_keeps_is_its_decays_product():
  """Of 9 in 10 + n the first factors are (1 + n) / (10 + n)."""
  table = {'schedule': 'custom', 'custom': (0.0, 16.0, 90.0, 32.0)}
  quick = {'decay': 0.9}
  assert not told(resolution=table, ema=quick)  # 0.9 ** 100
  (line,) = told(ema={'decay': 0.999, 'dynamic': False})
  assert line.startswith('note: 37% of the average') and 'random' in line
  assert not told(ema={'decay': 0.9, 'dynamic': False})
  resolved = resolve(
    {'schedule': {'total_steps': 20}, 'ema': {'decay': 0.8}}, FACTS
  )
  product = np.prod([(1 + n) / (10 + n) for n in range(5, 20)])
  assert left_of_average(resolved, 5) == pytest.approx(product)


def test_small_groups_of_batch_norm_are_told():
  (line,) = told(batch_size=32, model={'norm': {'group_size': 8}})
  assert 'statistics of 8 images' in line
  assert not told(batch_size=16)


def test_a_net_beyond_its_budget_is_told():
  net = {'variant': 'resnet_rs_50', 'width': 2.0}
  rule = {'rule': 'resnet_rs', 'macs': 3e9, 'grow': 'depth'}
  (line,) = told(model=net, scaling=rule)
  assert line.startswith('note: what is set makes the net cost')
  assert not told(model=net | {'width': None}, scaling=rule)
