"""What the training loop costs beside the compiled step."""

import contextlib
import io
import itertools
import tempfile
from collections.abc import Callable, Iterator

import jax
import numpy as np

from resflax.benchmarks.measure import Row, interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper
from resflax.training.ledger import Ledger
from resflax.training.loop import Cadence, run_loop
from resflax.training.session import Session
from resflax.training.setup import Setup
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
  with (
    tempfile.TemporaryDirectory() as folder,
    contextlib.closing(_session(setup, folder)) as session,
  ):
    batch = jax.tree.map(np.asarray, random_batch(setup, RESOLUTION))
    session.batches = ({**batch, 'bad': ()} for _ in itertools.count())
    repeats = 3 if quick else 7
    times = interleave(
      {'bare': _bare(session, steps), 'looped': _looped(session, steps)},
      repeats=repeats,
    )
    _, metrics = session.train_step(setup.initial_state(), 0)
    session.programs.close()
    session.programs = _NoPrograms(metrics)
    times |= interleave({'host': _looped(session, steps)}, repeats=repeats)
  bare, looped = (times[name].wall_s / steps for name in ('bare', 'looped'))
  yield Row('bare compiled step', bare * 1e3, 'ms')
  yield Row(
    *('step in the loop, data ready', looped * 1e3, 'ms', looped / bare),
    *('the bare step', '<= 1.03'),
  )
  host = times['host'].wall_s / steps
  yield Row(
    'the loop around no program',
    *(host * 1e6, 'us a step', host * 1e6 / 300, '300 us', '<= 1'),
  )


def _session(setup: Setup, folder: str) -> Session:
  """Returns a start of a run that saves nothing, and does nothing but step."""
  return Session(
    setup, Workdir(folder), saving=False, hooks=(), ledger=Ledger('step')
  )


class _NoPrograms:
  """Programs that return what they are given, and metrics they had before."""

  hidden_s = exposed_s = 0.0

  def __init__(self, metrics: dict[str, jax.Array]):
    self._metrics = metrics

  def get(self, name: object) -> Callable:
    return lambda state, batch: (state, self._metrics)

  def close(self) -> None:
    pass


def _bare(session: Session, steps: int) -> Callable[[], None]:
  """Returns so many steps without anything around them."""
  step = stepper(
    session.programs.get(('train', *session.setup.stages[0][1:])),
    session.setup.initial_state(),
    random_batch(session.setup, RESOLUTION),
  )

  def run_steps():
    for _ in range(steps):
      jax.block_until_ready(step())  # CPUs hang when steps pile up

  return run_steps


def _looped(session: Session, steps: int) -> Callable[[], None]:
  """Returns so many steps of the training loop, a row each 50."""
  holder, done = [session.setup.initial_state()], itertools.count(0, steps)

  def log(state, step, means):
    with contextlib.redirect_stdout(io.StringIO()):
      session.log(state, step, means)

  def run_steps():
    start = next(done)
    holder[0] = run_loop(
      holder[0],
      start=start,
      total_steps=start + steps,
      cadence=Cadence(log=50, evaluate=0),
      train_step=session.train_step,
      log=log,
      evaluate=lambda state, step: False,
      save=lambda state, step: None,
      interrupted=lambda step: False,
      finiteness=session.finiteness,
    )

  return run_steps
