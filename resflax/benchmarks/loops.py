"""What the training loop costs beside the compiled step."""

import itertools
import tempfile
import time
from collections.abc import Iterator

import jax
import numpy as np

from resflax.benchmarks.measure import Row
from resflax.benchmarks.nets import make_setup, random_batch
from resflax.training.loop import Cadence, run_loop
from resflax.training.session import Session
from resflax.training.workdir import Workdir

STEPS = 300
RESOLUTION = 32
BATCH = 32


def run(*, quick: bool) -> Iterator[Row]:
  """Compares steps of the loop with the bare program, in turns."""
  steps = STEPS // 5 if quick else STEPS
  setup = make_setup(
    'resnet20_cifar', resolution=RESOLUTION, batch_size=BATCH, width=0.25
  )
  with tempfile.TemporaryDirectory() as folder:
    session = Session(setup, Workdir(folder), saving=False, hooks=())
    batch = jax.tree.map(np.asarray, random_batch(setup, RESOLUTION))
    session.batches = itertools.repeat(batch)
    program = session.programs.get(('train', RESOLUTION))
    bare, looped = [], []
    _bare(program, setup, steps), _looped(session, steps)  # warm-up
    for _ in range(3 if quick else 7):
      bare.append(_bare(program, setup, steps))
      looped.append(_looped(session, steps))
    session.close()
  one, other = float(np.median(bare)), float(np.median(looped))
  yield Row('bare compiled step', one * 1e3, 'ms')
  yield Row(
    *('step in the loop, data ready', other * 1e3, 'ms', other / one),
    *('the bare step', '<= 1.03'),
  )


def _bare(program, setup, steps: int) -> float:
  """Returns seconds of a step without anything around it."""
  state, batch = setup.initial_state(), random_batch(setup, RESOLUTION)
  jax.block_until_ready(state)
  start = time.perf_counter()
  for _ in range(steps):
    state, metrics = program(state, batch)
    jax.block_until_ready(metrics)  # CPUs hang when steps pile up
  return (time.perf_counter() - start) / steps


def _looped(session: Session, steps: int) -> float:
  """Returns seconds of a step of the training loop, a row each 50 steps."""
  state = jax.block_until_ready(session.setup.initial_state())
  start = time.perf_counter()
  run_loop(
    state,
    start=0,
    total_steps=steps,
    cadence=Cadence(log=50, evaluate=0),
    train_step=session.train_step,
    log=session.log,
    evaluate=lambda state, step: False,
    save=lambda state, step: None,
    interrupted=lambda: False,
  )
  return (time.perf_counter() - start) / steps
