"""Learning rates, against the formulas."""

import math

import pytest

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
