"""The batches a step takes, against counting them one by one."""

import itertools

import pytest

from resflax.batches import batches_before, num_steps, of_equal_pixels
from resflax.resolution import Stage

SIZES = (16, 20, 32)


def table(*firsts):
  return [Stage(first, px) for first, px in zip(firsts, SIZES, strict=False)]


def test_a_step_has_at_most_the_pixels_of_the_largest():
  stages = of_equal_pixels(table(0, 12, 18), 24)
  assert [s.batches for s in stages] == [4, 2, 1]
  for stage in stages:
    pixels = stage.batches * stage.resolution**2
    assert 32**2 / 2 < pixels <= 32**2
  halves = of_equal_pixels([Stage(0, 160), Stage(9, 224)], 20)
  assert [s.batches for s in halves] == [1, 1]  # 1.96 times the pixels


@pytest.mark.parametrize(
  ('firsts', 'total', 'begins'),
  [
    ((0, 12, 18), 24, (0, 3, 6)),
    ((0, 14, 19), 24, (0, 3, 6)),  # of 14, 2 are left to the next stage
    ((0, 3, 9), 24, (0, 4)),  # the first one is shorter than a step
    ((0, 1, 2), 4, (0, 1)),
  ],
)
def test_stages_end_with_their_last_whole_step(firsts, total, begins):
  stages = of_equal_pixels(table(*firsts), total)
  assert tuple(s.first_step for s in stages) == begins
  steps, counted = num_steps(stages, total), 0
  for step in range(steps):
    assert batches_before(stages, step) == counted
    stage = [s for s in stages if s.first_step <= step][-1]
    counted += stage.batches
  # The last images are the largest: their steps end where the run does.
  assert counted == total == batches_before(stages, steps)


def test_a_run_that_ends_with_small_images_ends_behind_its_length():
  stages = of_equal_pixels([Stage(0, 32), Stage(5, 16)], 11)
  assert stages == (Stage(0, 32), Stage(5, 16, batches=4))
  assert num_steps(stages, 11) == 7  # 5 + 4 + 4 batches
  alone = of_equal_pixels([Stage(0, 16)], 3)
  assert (alone, num_steps(alone, 3)) == ((Stage(0, 16),), 3)


def test_one_batch_a_step_is_the_step_itself():
  stages = table(0, 5, 9)
  assert [batches_before(stages, s) for s in range(20)] == list(range(20))
  assert num_steps(stages, 20) == 20


def test_position_goes_on_from_stage_to_stage():
  stages = of_equal_pixels(table(0, 12, 18), 24)
  taken = [4, 4, 4, 2, 2, 2, 1, 1, 1, 1, 1, 1]
  expected = [0, *itertools.accumulate(taken)]
  assert [batches_before(stages, s) for s in range(13)] == expected
