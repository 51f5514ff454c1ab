"""Learning rates as functions of the step alone."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
import optax

from resflax.batches import batches_before
from resflax.errors import unknown
from resflax.resolution import Stage

# Of peak and steps: what follows the warm-up.
AFTER_WARMUP = {
  'cosine': optax.cosine_decay_schedule,
  'constant': lambda peak, steps: optax.constant_schedule(peak),
}
SCHEDULES = (*AFTER_WARMUP, 'step')


def learning_rate(
  name: str,
  *,
  peak: float,
  total_steps: int,
  warmup_steps: int = 0,
  drops: Sequence[float] = (),
  drop_factor: float = 0.1,
) -> Callable:
  """Returns `lr(step)`: from 0 to `peak` in a line, then as named.

  Source: linear warm-up, Goyal et al. 2017, section 2.2; cosine to zero over
  the steps after the warm-up, Loshchilov and Hutter 2017, as flax's ImageNet
  example has it (TF Model Garden counts the cosine from step 0 instead).

  Args:
    name: one of SCHEDULES.
    peak: the learning rate at the end of the warm-up.
    total_steps: length of the run, warm-up included.
    warmup_steps: length of the warm-up; step 0 then has a rate of 0.
    drops: step: where the rate drops, in percent of the run. Source: He et al.
      2016 and Goyal et al. 2017: epochs 30, 60 and 80 of 90.
    drop_factor: step: what it is multiplied by each time.

  Raises:
    UsageError: there is no such schedule.
  """
  if name not in SCHEDULES:
    raise unknown('schedule', name, SCHEDULES, 'config.schedule.name')
  if name == 'step':
    decay = optax.piecewise_constant_schedule(
      peak,
      # Counted from the start of the run, warm-up included.
      {
        round(drop * total_steps / 100) - warmup_steps: drop_factor
        for drop in drops
      },
    )
  else:
    decay = AFTER_WARMUP[name](peak, total_steps - warmup_steps)
  if not warmup_steps:
    return decay
  warmup = optax.linear_schedule(0.0, peak, warmup_steps)
  return optax.join_schedules([warmup, decay], [warmup_steps])


def linear_in_batch(schedule: Callable, stages: Sequence[Stage]) -> Callable:
  """Returns `lr(step)` of stages whose steps take several batches.

  lr(step) = schedule(batches before the step) * batches of the step.

  Source: the factor is Goyal et al. 2017, section 2.1, who found it for SGD and
    between runs; within a run, as images shrink, Wu et al. 2020 (Multigrid).
    The schedule by examples is ours, so that the rates of a run add up to
    nearly the same, whatever the batches.

  Args:
    schedule: the rate by batches.
    stages: of the run.
  """
  if all(stage.batches == 1 for stage in stages):
    return schedule
  table = np.array(
    [
      (s.first_step, s.batches, batches_before(stages, s.first_step))
      for s in stages
    ],
    np.int32,
  )

  def rate(step):
    number = jnp.searchsorted(table[:, 0], step, side='right') - 1
    first, batches, before = jnp.asarray(table)[number]
    return batches * schedule(before + batches * (step - first))

  return rate
