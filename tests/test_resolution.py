"""Stage tables."""

import pytest

from resflax.errors import UsageError
from resflax.resolution import (
  make_stages,
  resolution_at,
  sizes_from,
  stage_at,
  steps_from,
)


def stages(schedule, total_steps=1000, **options):
  defaults = {
    'train': 224,
    'start': 128,
    'stages': 4,
    'multiple': 4,
    'ramp_begin': 50.0,
    'ramp_end': 80.0,
    'custom_table': (),
  }
  return make_stages(schedule, total_steps=total_steps, **(defaults | options))


def sizes(table):
  return tuple((s.first_step, s.resolution) for s in table)


def test_fixed_is_one_stage():
  assert sizes(stages('fixed')) == ((0, 224),)


def test_linear_goes_from_start_to_train_in_equal_steps():
  # EfficientNetV2-S, paper: four stages from 128 to 300 pixels.
  assert sizes(stages('linear', train=300)) == (
    (0, 128),
    (250, 184),
    (500, 244),
    (750, 300),
  )


def test_linear_rounds_between_but_not_the_ends():
  table = stages('linear', train=225, multiple=32)
  assert [s.resolution for s in table] == [128, 160, 192, 225]


def test_equal_neighbours_are_one_stage():
  table = stages('linear', train=160, multiple=32)
  assert sizes(table) == ((0, 128), (500, 160))


def test_one_stage_is_the_last_resolution():
  assert sizes(stages('linear', stages=1)) == ((0, 224),)


def test_a_run_shorter_than_its_stages_ends_at_the_last():
  table = stages('linear', total_steps=2)
  assert table[0].first_step == 0
  assert len({s.first_step for s in table}) == len(table)
  assert table[-1].resolution == 224


def test_custom_is_percent_and_pixels():
  table = stages('custom', custom_table=(0, 128, 35, 160, 70, 192))
  assert sizes(table) == ((0, 128), (350, 160), (700, 192))


@pytest.mark.parametrize(
  'table',
  [
    (),
    (0,),
    (10, 128),
    (0, 128, 0, 160),
    (0, 128, 100, 160),
    (0, 4),
    (0, 5000),
  ],
)
def test_custom_refuses(table):
  with pytest.raises(UsageError, match='config.resolution.custom'):
    stages('custom', custom_table=table)


def test_a_stage_begins_with_its_first_step():
  table = stages('custom', custom_table=(0, 128, 50, 160))
  seen = [resolution_at(table, step) for step in (0, 499, 500, 999)]
  assert seen == [128, 128, 160, 160]
  assert sizes_from(table, 0) == [128, 160]
  assert sizes_from(table, 500) == [160]
  first, last = table
  assert steps_from(table, 0, 1000) == [(first, 500), (last, 500)]
  assert steps_from(table, 600, 1000) == [(first, 0), (last, 400)]


def test_ramp_is_ffcvs():
  # rn50_configs/rn50_88_epochs.yaml: 160 to 192 from epoch 65 to 76 of 88.
  table = stages(
    'ramp',
    total_steps=88,
    train=192,
    start=160,
    multiple=32,
    ramp_begin=100 * 65 / 88,
    ramp_end=100 * 76 / 88,
  )

  def ffcv(epoch):  # get_resolution of train_imagenet.py
    if epoch <= 65:
      return 160
    if epoch >= 76:
      return 192
    middle = 160 + (192 - 160) * (epoch - 65) / (76 - 65)
    return round(middle / 32) * 32

  for epoch in range(88):
    assert resolution_at(table, epoch) == ffcv(epoch)


def test_ramp_is_composers():
  """Half the size for half of the run, all of it for the last fifth."""
  table = stages('ramp', start=112, multiple=4)
  for step in range(1000):
    scale = min(1, 0.5 + 0.5 * max(0, step / 1000 - 0.5) / 0.3)
    expected = 224 if scale == 1 else round(scale * 224 / 4) * 4
    assert resolution_at(table, step) == expected


@pytest.mark.parametrize('percent', [(50, 50), (80, 50), (-1, 50), (50, 101)])
def test_ramp_refuses(percent):
  with pytest.raises(UsageError, match='config.resolution.ramp_begin'):
    begin, end = percent
    stages('ramp', ramp_begin=begin, ramp_end=end)


def test_sizes_stay_between_the_first_and_the_last():
  table = stages('linear', start=112, multiple=1000)
  assert {stage.resolution for stage in table} == {112, 224}


def test_strengths_rise_with_the_stages():
  table = stages('linear', first_strength=0.25)
  assert [s.strength for s in table] == [0.25, 0.5, 0.75, 1.0]
  assert stage_at(table, 0).strength == 0.25
  assert stage_at(table, 999).strength == 1.0
  assert [s.strength for s in stages('fixed', first_strength=0.25)] == [1.0]
