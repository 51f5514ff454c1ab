"""The order of things in the loop, and when it stops."""

import math

import jax.numpy as jnp
import pytest

from resflax.errors import (
  DataError,
  NotFiniteError,
  PreemptedError,
)
from resflax.resolution import Stage
from resflax.training.finiteness import Finiteness
from resflax.training.loop import (
  Cadence,
  Window,
  due,
  run_loop,
  steps_left,
)


def metrics(loss=1.0, finite=True):
  return {
    'loss': jnp.float32(loss),
    'top1': jnp.float32(0.5),
    'finite': jnp.bool_(finite),
  }


def record(
  total=6,
  start=0,
  stop_at=None,
  bad=(),
  best=(),
  fails=None,
  events=None,
  batches_before=int,
  **cadence,
):
  """Returns what happened; `fails` is (event, error)."""
  events = [] if events is None else events

  def happens(event):
    if fails and event == fails[0]:
      raise fails[1]
    events.append(event)

  def train_step(state, step):
    happens(f'step {step}')
    return state + 1, metrics(loss=step, finite=step + 1 not in bad)

  def evaluate(state, step):
    happens(f'eval {step}')
    return step in best

  def log(state, step, means):
    events.append(f'log {step} {means.get("train/loss", math.nan):g}')

  state = run_loop(
    start,
    start=start,
    total_steps=total,
    cadence=Cadence(**({'log': 2, 'evaluate': 3} | cadence)),
    train_step=train_step,
    log=log,
    evaluate=evaluate,
    save=lambda state, step: events.append(f'save {step} {state}'),
    interrupted=lambda step: f'step {stop_at}' in events,
    finiteness=Finiteness(),
    batches_before=batches_before,
  )
  assert state == total
  return events


def test_row_then_evaluation_then_checkpoint():
  assert record(checkpoint=3) == [
    'step 0',
    'step 1',
    'log 2 0.5',
    'step 2',
    'eval 3',
    'save 3 3',
    'step 3',
    'log 4 2.5',
    'step 4',
    'step 5',
    'log 6 4.5',
    'eval 6',
    'save 6 6',
  ]


def test_the_best_evaluation_is_saved():
  saves = [e for e in record(best=(3,)) if e.startswith('save')]
  assert saves == ['save 3 3', 'save 6 6']


def test_a_finished_run_does_nothing():
  assert record(start=6) == []


def test_zero_means_at_the_end_alone():
  events = record(log=0, evaluate=0)
  assert [e for e in events if not e.startswith('step')] == [
    'log 6 2.5',
    'eval 6',
    'save 6 6',
  ]
  assert not due(4, 0)


def test_minutes_save_too():
  saves = [e for e in record(checkpoint_seconds=0) if e.startswith('save')]
  assert len(saves) == 6


def test_interruption_saves_and_stops():
  with pytest.raises(PreemptedError, match='Stopped at step 4 of 6'):
    record(stop_at=3)


@pytest.mark.parametrize(
  ('fails', 'end'),
  [
    # after 3 rows of 2 steps; the row is written early
    ('step 5', ['step 4', 'log 5 4', 'save 5 5']),
    # at a row and before another: nothing but the checkpoint is left
    ('step 4', ['log 4 2.5', 'save 4 4']),
    ('eval 3', ['step 2', 'log 3 2', 'save 3 3']),
    ('eval 6', ['log 6 4.5', 'save 6 6']),
    ('step 0', []),
  ],
)
def test_data_that_fail_lose_nothing(fails, end):
  events, error = [], DataError('bad')
  with pytest.raises(DataError) as raised:
    record(fails=(fails, error), events=events)
  assert raised.value is error
  assert events[-len(end) or len(events) :] == end


def test_what_is_saved_is_not_saved_again():
  events = []
  with pytest.raises(DataError):
    record(checkpoint=4, fails=('step 4', DataError('bad')), events=events)
  assert events[-1] == 'save 4 4' and events.count('save 4 4') == 1


def test_what_is_not_finite_is_not_saved_for_bad_data_either():
  events = []
  with pytest.raises(NotFiniteError, match='steps 1 to 3 '):
    record(bad=(1, 2, 3), fails=('step 3', DataError('bad')), events=events)
  assert not [event for event in events if event.startswith('save')]


def test_the_third_in_a_row_ends_the_run_and_is_not_saved():
  events = []
  with pytest.raises(NotFiniteError, match='steps 4 to 6 '):
    record(bad=(2, 4, 5, 6), checkpoint=1, log=0, evaluate=0, events=events)
  assert [event for event in events if event.startswith('save')] == [
    f'save {step} {step}' for step in range(1, 6)
  ]


def test_means_are_of_the_finite_steps():
  rows = [e for e in record(bad=(2, 3, 5)) if e.startswith('log')]
  assert rows == ['log 2 0', 'log 4 3', 'log 6 5']


def test_a_row_of_no_finite_step_has_no_means():
  window = Window(Finiteness())
  window.add(1, metrics(loss=float('nan'), finite=False))
  assert window.mean() == {}


def test_window_means_the_steps_since_the_last_row():
  window = Window(Finiteness())
  for step in range(20):
    window.add(step, metrics(loss=step))
  assert window.mean()['train/loss'] == pytest.approx(9.5)
  window.add(20, metrics(loss=4.0))
  window.fetch()  # does not forget
  window.add(21, metrics(loss=6.0))
  assert window.mean() == {'train/loss': 5.0, 'train/top1': 0.5}


def test_a_row_has_the_means_of_all_that_a_step_measures():
  window = Window(Finiteness())
  for step, norm in ((1, 2.0), (2, 4.0)):
    more = {'gradient_norm/stem': jnp.float32(norm), 'checked': jnp.float32(1)}
    window.add(step, metrics() | more)
  assert window.mean() == {
    'train/loss': 1.0,
    'train/top1': 0.5,
    'train/gradient_norm/stem': 3.0,
  }


def test_steps_left_weighs_by_pixels():
  stages = [Stage(0, 16), Stage(10, 32)]
  assert steps_left(stages, 5, 20) == 5 + 10 * 4
  assert steps_left(stages, 15, 20) == 5
  assert steps_left(stages, 20, 20) == 0
  fewer = [Stage(0, 16, batches=4), Stage(10, 32)]  # as many pixels a step
  assert steps_left(fewer, 5, 20) == 5 + 10


def test_what_is_due_by_batches_is_due_at_the_step_that_reaches_them():
  before = [0, 4, 8, 12, 13, 14, 15, 16].__getitem__
  assert [s for s in range(1, 8) if due(s, 5, before)] == [2, 3, 6]
  assert [s for s in range(1, 8) if due(s, 1, before)] == list(range(1, 8))
  assert [s for s in range(1, 8) if due(s, 3)] == [3, 6]
  events = record(total=7, batches_before=before, evaluate=0, log=5)
  assert [e.split()[1] for e in events if e.startswith('log')] == [
    *('2', '3', '6', '7'),
  ]
