"""Stage tables."""

import pytest

from resflax.errors import UsageError
from resflax.resolution import (
  make_stages,
  resolution_at,
  sizes_from,
  steps_from,
)


def stages(schedule, total_steps=1000, **options):
  defaults = {
    'train': 224,
    'start': 128,
    'stages': 4,
    'multiple': 4,
    'custom_table': (),
  }
  return make_stages(schedule, total_steps=total_steps, **(defaults | options))


def test_fixed_is_one_stage():
  assert stages('fixed') == ((0, 224),)


def test_linear_goes_from_start_to_train_in_equal_steps():
  # EfficientNetV2-S, paper: four stages from 128 to 300 pixels.
  assert stages('linear', train=300) == (
    (0, 128),
    (250, 184),
    (500, 244),
    (750, 300),
  )


def test_linear_rounds_between_but_not_the_ends():
  sizes = [s.resolution for s in stages('linear', train=225, multiple=32)]
  assert sizes == [128, 160, 192, 225]


def test_equal_neighbours_are_one_stage():
  assert stages('linear', train=160, multiple=32) == ((0, 128), (500, 160))


def test_one_stage_is_the_last_resolution():
  assert stages('linear', stages=1) == ((0, 224),)


def test_a_run_shorter_than_its_stages_ends_at_the_last():
  table = stages('linear', total_steps=2)
  assert table[0].first_step == 0
  assert len({s.first_step for s in table}) == len(table)
  assert table[-1].resolution == 224


def test_custom_is_percent_and_pixels():
  table = stages('custom', custom_table=(0, 128, 35, 160, 70, 192))
  assert table == ((0, 128), (350, 160), (700, 192))


@pytest.mark.parametrize(
  'table',
  [(), (0,), (10, 128), (0, 128, 0, 160), (0, 128, 100, 160), (0, 4)],
)
def test_custom_refuses(table):
  with pytest.raises(UsageError, match='config.resolution.custom'):
    stages('custom', custom_table=table)


def test_a_stage_begins_with_its_first_step():
  table = stages('custom', custom_table=(0, 128, 50, 160))
  sizes = [resolution_at(table, step) for step in (0, 499, 500, 999)]
  assert sizes == [128, 128, 160, 160]
  assert sizes_from(table, 0) == [128, 160]
  assert sizes_from(table, 500) == [160]
  assert steps_from(table, 0, 1000) == [(128, 500), (160, 500)]
  assert steps_from(table, 600, 1000) == [(128, 0), (160, 400)]
