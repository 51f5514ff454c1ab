"""The loop: which step runs which program, and what happens after it."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from resflax.errors import PreemptedError, ResflaxError
from resflax.parallel import distributed
from resflax.resolution import Stage, stage_at, steps_from
from resflax.training.finiteness import CHECKS, Finiteness

# Steps dispatched but not awaited. On CPU, more than about 32 of them over
# several devices hang; and a host far ahead only holds memory.
RUN_AHEAD = 8


class Cadence(NamedTuple):
  """After how many steps something happens; 0 = at the end alone.

  Attributes:
    log: batches between rows, which are steps where each takes one.
    evaluate: batches between evaluations.
    checkpoint: steps between checkpoints.
    checkpoint_seconds: between checkpoints.
  """

  log: int
  evaluate: int
  checkpoint: int = 0
  checkpoint_seconds: float = float('inf')


class Window:
  """Metrics of the steps since the last row, on the device until asked for."""

  def __init__(self, finiteness: Finiteness):
    self._finiteness = finiteness
    self._pending: list[tuple[int, dict]] = []
    self._fetched: list[dict] = []

  def __len__(self) -> int:
    return len(self._pending) + len(self._fetched)

  def add(self, step: int, metrics: dict) -> None:
    """Adds a step's metrics and waits for one RUN_AHEAD steps before."""
    self._pending.append((step, metrics))
    if len(self._pending) >= RUN_AHEAD:
      jax.block_until_ready(self._pending[-RUN_AHEAD][1])

  def fetch(self) -> None:
    """Brings the metrics to the host.

    Raises:
      NotFiniteError: too many steps in a row are not.
    """
    for step, metrics in jax.device_get(self._pending):
      if self._finiteness.add(step, metrics):
        self._fetched.append(metrics)
    self._pending.clear()

  def mean(self) -> dict[str, float]:
    """Returns the means of the finite steps and begins a new window."""
    self.fetch()
    rows, self._fetched = self._fetched, []
    names = [name for name in rows[0] if name not in CHECKS] if rows else ()
    return {
      f'train/{name}': float(np.mean([row[name] for row in rows]))
      for name in names
    }


def steps_left(stages: Sequence[Stage], step: int, total_steps: int) -> float:
  """Returns the steps to come, counted in steps at the present resolution.

  A step's cost goes with the number of pixels, nearly.
  """
  now = _pixels(stage_at(stages, min(step, total_steps - 1)))
  return sum(
    steps * _pixels(stage) / now
    for stage, steps in steps_from(stages, step, total_steps)
  )


def _pixels(stage: Stage) -> int:
  """Those of a step, over the examples of a batch."""
  return stage.batches * stage.resolution**2


def due(step: int, every: int, batches_before: Callable = int) -> bool:
  """Whether something that happens every so many batches happens now.

  Args:
    step: updates done.
    every: batches between; 0 = never.
    batches_before: how many the steps before a step took; by default one each.
  """
  before, now = batches_before(step - 1), batches_before(step)
  return every > 0 and now // every > before // every


def run_loop(
  state,
  *,
  start: int,
  total_steps: int,
  cadence: Cadence,
  train_step: Callable,
  log: Callable,
  evaluate: Callable,
  save: Callable,
  interrupted: Callable[[int], bool],
  finiteness: Finiteness,
  owed: bool = False,
  batches_before: Callable[[int], int] = int,
):
  """Trains from step `start` to `total_steps`.

  The order after a step is fixed: its row, its evaluation, its checkpoint. So
  a checkpoint stands behind every row up to its step. Where a step's data or
  its evaluation fails, the steps before are saved.

  Args:
    state: at `start`; only handed on.
    start: updates done.
    total_steps: updates to be done in all.
    cadence: what happens how often.
    train_step: `(state, step) -> (state, metrics)`; fetches its own batch,
      and leaves the state alone where that fails.
    log: `(state, step, means of the metrics)`.
    evaluate: `(state, step) -> whether this is the best so far`.
    save: `(state, step)`.
    interrupted: whether to stop after a step.
    finiteness: counts the steps up to `start`.
    owed: whether the state at `start` was saved because its evaluation failed;
      it is then evaluated first.
    batches_before: see `due`.

  Raises:
    NotFiniteError: too many steps in a row are not; they are not saved.
    PreemptedError: interrupted; the state is saved.
    ResflaxError: of `train_step` or `evaluate`; the state before is saved.
  """
  window = Window(finiteness)
  saved, saved_at = start, time.monotonic()

  @contextlib.contextmanager
  def rescuing(step: int) -> Iterator[None]:
    """Saves the state at `step` where what is inside fails."""
    try:
      yield
    except ResflaxError:
      if distributed.are_several():  # the others are not here to save
        raise
      if len(window):
        log(state, step, window.mean())
      if step > saved:
        save(state, step)
      raise

  if owed:
    evaluate(state, start)
  for step in range(start + 1, total_steps + 1):
    with rescuing(step - 1):
      state, metrics = train_step(state, step - 1)
    window.add(step, metrics)
    last, stop = step == total_steps, interrupted(step)
    logged = last or stop or due(step, cadence.log, batches_before)
    if logged:
      log(state, step, window.mean())
    best = False
    if last or due(step, cadence.evaluate, batches_before):
      window.fetch()  # or the evaluation would be timed with these steps
      with rescuing(step):
        best = evaluate(state, step)
    late = time.monotonic() - saved_at > cadence.checkpoint_seconds
    if distributed.are_several():  # and so are their clocks
      late = logged and distributed.agreed('late', late)
    if last or stop or best or late or due(step, cadence.checkpoint):
      window.fetch()
      save(state, step)
      saved, saved_at = step, time.monotonic()
    if stop and not last:
      raise PreemptedError(
        f'Stopped at step {step} of {total_steps}; the state is saved. The '
        'same command goes on from here.'
      )
  return state
