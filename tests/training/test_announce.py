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


def test_a_net_beyond_its_budget_is_told():
  net = {'variant': 'resnet_rs_50', 'width': 2.0}
  rule = {'rule': 'resnet_rs', 'macs': 3e9, 'grow': 'depth'}
  (line,) = told(model=net, scaling=rule)
  assert line.startswith('note: what is set makes the net cost')
  assert not told(model=net | {'width': None}, scaling=rule)
