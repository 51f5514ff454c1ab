"""Learning rates, against the formulas."""

import math

import pytest

from resflax import schema
from resflax.errors import UsageError
from resflax.training.schedules import learning_rate


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
