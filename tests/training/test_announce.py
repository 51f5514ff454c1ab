"""What a run is told before its first step."""

import pytest

from resflax.config import Facts, resolve
from resflax.training.announce import notes

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
    assert 'the last stage has 20% of the run' in lines[0]
  assert not told(resolution=table, ema={'decay': 0.0})


def test_steps_of_several_batches_count_once():
  """2 % of the batches, and 24 of 85 steps: the first 61 take sixteen each."""
  table = {'schedule': 'custom', 'custom': (0.0, 16.0, 98.0, 64.0)}
  (line,) = told(resolution=table | {'batch': 'pixels'})
  assert 'the last stage has 28% of the run' in line
  assert not told(
    resolution=table | {'batch': 'pixels', 'custom': (0.0, 16.0, 80.0, 64.0)}
  )


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
