"""What runs cost, and what is refused before the first one starts."""

import pytest

from resflax.errors import UsageError
from resflax.sweeps.estimate import estimate
from resflax.sweeps.grid import Planned, load_sweep
from tests.sweeps.folders import shape, write_run

CONFIG = 'configs/digits.py'


def test_compute_is_added_up_over_the_stages():
  fixed = {
    'model.width': 0.5,
    'resolution.schedule': 'fixed',
    'resolution.start': None,
    'schedule.total_epochs': None,
    'schedule.total_steps': 10,
    'schedule.warmup_epochs': None,
    'schedule.warmup_steps': 1,
  }
  rising = {
    **fixed,
    'resolution.schedule': 'custom',
    'resolution.custom': (0.0, 16.0, 50.0, 32.0),
  }
  costs = estimate(
    [
      Planned('a', {**fixed, 'resolution.train': 32}),
      Planned('b', {**fixed, 'resolution.train': 16}),
      Planned('c', {**rising, 'resolution.train': 32}),
    ],
    CONFIG,
    'nowhere',
  )
  large, small, both = costs
  assert large.params == small.params == both.params
  assert large.compute == 6 * large.macs * 10 * 64
  assert both.compute == (large.compute + small.compute) / 2
  assert both.macs == large.macs > 2 * small.macs


@pytest.mark.parametrize(
  'runs, message',
  [
    (
      [Planned('a', {'optimizer.lr': 0.1}), Planned('b', {})],
      'a-.* and b-.* are one run: .* equal once they are decided',
    ),
    (
      [Planned('a', {'schedule.total_steps': 9})],
      'a-.*: .*schedule.total_steps=9 and config.schedule.total_epochs',
    ),
    (
      [Planned('a', {'data.train_split': 'nowhere'})],
      "a-.*: Unknown split of digits 'nowhere'",
    ),
    ([Planned('a', {}, 'resnet20')], "takes bool; .*|'resnet20'"),
  ],
)
def test_what_contradicts_itself(runs, message):
  with pytest.raises(UsageError, match=message):
    estimate(runs, CONFIG, 'nowhere')


def test_a_run_that_is_there_under_another_name(tmp_path):
  other = {**shape(1, 0.25, 16), 'batch_size': 64}
  write_run(tmp_path / 'before', other, lambda flops: 0.5)
  run = Planned('a', shape(1, 0.25, 16))
  message = rf'{run.name} is there already, as before, and would count as'
  with pytest.raises(UsageError, match=message):
    estimate([run], CONFIG, str(tmp_path))
  assert len(estimate([Planned('a', {'seed': 1})], CONFIG, str(tmp_path))) == 1


def test_a_run_begun_with_another_config_file(tmp_path):
  run = Planned('a', shape(1, 0.25, 16))
  write_run(tmp_path / run.name, run.fields, lambda flops: 0.5)
  assert len(estimate([run], CONFIG, str(tmp_path))) == 1
  other = tmp_path / 'other.py'
  other.write_text(
    'from configs.digits import get_config as digits\n'
    'def get_config():\n'
    '  c = digits()\n'
    '  c.optimizer.lr = 0.7\n'
    '  return c\n'
  )
  message = rf'{run.name} was begun with config.optimizer.lr=.*, not 0\.7: use'
  with pytest.raises(UsageError, match=message):
    estimate([run], str(other), str(tmp_path))


def test_the_grid_of_resnet_rs_can_be_estimated():
  """525 runs on ImageNet, which is not here."""
  runs = load_sweep('configs/sweeps/rs_grid.py')[::75]
  costs = estimate(runs, 'configs/imagenet/resnet_rs.py', 'nowhere')
  assert len({cost.macs for cost in costs}) == len(costs) == 7
  last = runs[-1].fields
  assert costs[-1].compute == pytest.approx(
    6 * costs[-1].macs * last['schedule.total_epochs'] * 1_255_544, rel=1e-3
  )


def test_a_config_file_that_fails(tmp_path):
  path = tmp_path / 'broken.py'
  path.write_text('def get_config(arg):\n  return {}[arg]\n')
  message = f"--config={path}:x fails at line 2 with KeyError: 'x'"
  with pytest.raises(UsageError, match=message):
    estimate([Planned('a', {}, 'x')], str(path), 'nowhere')
