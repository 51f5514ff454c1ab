"""Learning rates, against the formulas."""

import math

import jax
import pytest

from resflax import schema
from resflax.errors import UsageError
from resflax.resolution import Stage
from resflax.training.schedules import learning_rate, linear_in_batch


def test_warm_up_is_a_line_and_cosine_ends_at_zero():
  lr = learning_rate('cosine', peak=2.0, total_steps=110, warmup_steps=10)
  for step in range(10):
    assert float(lr(step)) == pytest.approx(2.0 * step / 10, abs=1e-6)
  for step in (10, 35, 60, 109, 110):
    expected = 2.0 * 0.5 * (1 + math.cos(math.pi * (step - 10) / 100))
    assert float(lr(step)) == pytest.approx(expected, abs=1e-6)
  assert float(lr(110)) == pytest.approx(0, abs=1e-6)


def test_without_warm_up_the_peak_is_first():
  lr = learning_rate('cosine', peak=0.4, total_steps=8)
  assert float(lr(0)) == pytest.approx(0.4)


def test_constant():
  lr = learning_rate('constant', peak=0.4, total_steps=8, warmup_steps=2)
  assert [float(lr(s)) for s in (0, 1, 2, 7)] == pytest.approx(
    [0, 0.2, 0.4, 0.4]
  )


def test_unknown_schedule_is_refused():
  with pytest.raises(UsageError, match="Did you mean 'cosine'"):
    learning_rate('cosin', peak=1.0, total_steps=2)


def test_steps_drop_at_epochs_30_60_and_80_of_90():
  drops = schema.FIELDS['schedule.drops'].default
  lr = learning_rate(
    'step', peak=0.1, total_steps=900, warmup_steps=50, drops=drops
  )
  assert float(lr(25)) == pytest.approx(0.05)
  for step, rate in (
    *((50, 0.1), (299, 0.1), (300, 0.01), (599, 0.01)),
    *((600, 1e-3), (799, 1e-3), (800, 1e-4), (899, 1e-4)),
  ):
    assert float(lr(step)) == pytest.approx(rate)


def test_the_drop_can_be_another():
  lr = learning_rate(
    'step', peak=1.0, total_steps=10, drops=(50.0,), drop_factor=0.5
  )
  assert [float(lr(step)) for step in (4, 6)] == [1.0, 0.5]


def test_the_rate_grows_as_the_batch_and_goes_by_examples():
  """Three steps of 4 batches, three of 2 and four of one: 22 batches."""
  stages = (Stage(0, 16, batches=4), Stage(3, 20, batches=2), Stage(6, 32))
  by_batch = learning_rate('cosine', peak=0.5, total_steps=22, warmup_steps=6)
  by_step = linear_in_batch(by_batch, stages)
  before = (0, 4, 8, 12, 14, 16, 18, 19, 20, 21)
  batches = (4, 4, 4, 2, 2, 2, 1, 1, 1, 1)
  for step in range(10):
    position = before[step]
    expected = 0.5 * (
      position / 6
      if position < 6
      else (1 + math.cos(math.pi * (position - 6) / 16)) / 2
    )
    found = float(by_step(step))
    assert found == pytest.approx(batches[step] * expected, rel=1e-5)
    assert float(jax.jit(by_step)(step)) == pytest.approx(found, rel=1e-6)


def test_one_batch_a_step_leaves_the_schedule_as_it_is():
  schedule = learning_rate('cosine', peak=0.5, total_steps=9)
  assert linear_in_batch(schedule, (Stage(0, 8), Stage(5, 16))) is schedule
