"""The programs of a run, in the order in which they are needed."""

import hashlib
from collections.abc import Callable, Hashable

import jax

from resflax.parallel import distributed
from resflax.resolution import Stage, programs_from
from resflax.training.finiteness import watched
from resflax.training.setup import Setup

EVAL = 'eval'


def train_key(stage: Stage) -> tuple:
  """Returns the name of a stage's program: stages alike have the same."""
  return ('train', *stage[1:])


def jobs_from(setup: Setup, step: int) -> dict[Hashable, Callable]:
  """Returns what makes each program that is needed from a step on.

  The first is that of the step; evaluation may be asked for next.
  """
  done = step == setup.resolved.total_steps
  stages = [] if done else programs_from(setup.stages, step)
  jobs = [(train_key(stage), _train_job(setup, stage)) for stage in stages]
  return dict([*jobs[:1], (EVAL, _eval_job(setup)), *jobs[1:]])


def _train_job(setup: Setup, stage: Stage) -> Callable:
  _, resolution, strength, batches = stage
  if jax.config.jax_debug_nans:  # which looks into no compiled program
    return lambda: watched(setup.jit_train(strength, batches))
  return lambda: _compiled(setup.lower_train(resolution, strength, batches))


def _eval_job(setup: Setup) -> Callable:
  size = setup.resolved['resolution.test']
  return lambda: _compiled(setup.lower_eval(size))


def _compiled(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
  if distributed.are_several():  # or their collectives would never meet
    text = lowered.as_text().encode()
    distributed.check_equal('program', hashlib.sha256(text).hexdigest())
  return lowered.compile()
