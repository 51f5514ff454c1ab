"""`train`: the one meeting point of data, models and training.

The function behind `scripts.train`, to be called from notebooks as well:
people bring their own model, data or loss as arguments.
"""

import contextlib
import dataclasses
import json
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from etils import epath
from ml_collections import ConfigDict

from resflax import report
from resflax.data import decode, sources
from resflax.data.ahead import check_workers
from resflax.errors import (
  DataError,
  LostPeerError,
  PreemptedError,
  ResflaxError,
  StoppedError,
  StorageError,
)
from resflax.evaluation.classification import Evaluation
from resflax.goodput import told
from resflax.models.layout import unstack
from resflax.parallel import distributed
from resflax.parallel import mesh as meshes
from resflax.training import environment
from resflax.training.announce import announce
from resflax.training.assemble import assemble
from resflax.training.interruption import Interruption, preemptible
from resflax.training.ledger import Ledger
from resflax.training.loop import Cadence, run_loop
from resflax.training.session import Session
from resflax.training.state import TrainState, digest
from resflax.training.teacher import taught
from resflax.training.watchdog import Watchdog
from resflax.training.workdir import Workdir, of_folder


class Result(NamedTuple):
  """What a finished run gives back.

  Attributes:
    state: the last one.
    evaluation: of its average on the test split.
    digest: of the state, see `training.state.digest`.
    seconds: of training, over all restarts.
    report: path of the report, None where this process saves none.
  """

  state: TrainState
  evaluation: Evaluation
  digest: str
  seconds: float
  report: epath.Path | None


def train(
  config: Mapping | ConfigDict,
  workdir: epath.PathLike | None = None,
  *,
  model: Any = None,
  source: sources.Dataset | None = None,
  loss: Callable | None = None,
  hooks: Sequence[Callable] = (),
  allow_change: Collection[str] = (),
) -> Result:
  """Trains, evaluates and reports; goes on where the folder's run stopped.

  Args:
    config: nested, possibly partial; see `resflax.schema`.
    workdir: the run's folder; None saves nothing.
    model: a linen module in place of `config.model`; takes images and `train`.
    source: a data set in place of `config.data.name`.
    loss: `(logits, labels) -> one number an example`, in place of the
      cross-entropy that `config.loss` describes.
    hooks: each is called as `hook(step, state, row)` with every row of
      metrics; the state is valid until it returns.
    allow_change: fields that may differ from those the folder began with;
      `data` stands for the data set itself.

  Raises:
    UsageError: the config, or what contradicts it, before anything compiles.
    NotFiniteError: the loss or its gradient is not, three steps in a row.
    DataError: an example cannot be read.
    StorageError: the folder cannot be written, or holds no checkpoint that is
      intact.
    PreemptedError: SIGTERM or SIGINT came; the state is saved.
    StoppedError: one came, and there is no folder to save in.
    LostPeerError: a data worker was killed; the state is saved.
  """
  if isinstance(config, ConfigDict):
    config = config.to_dict()
  ledger = Ledger()
  saving = workdir is not None
  with contextlib.ExitStack() as stack:
    if not saving:
      stack.enter_context(_saving_nothing())
    # Of several processes, JAX's runtime listens to SIGTERM.
    signals = [signal.SIGINT] if distributed.joined() else []
    interruption = stack.enter_context(preemptible(*signals))
    setup = taught(assemble(config, model=model, source=source, loss=loss))
    check_workers(setup.resolved['data.workers'])
    if not saving:
      workdir = stack.enter_context(tempfile.TemporaryDirectory())
    folder = Workdir(workdir)
    info = dataclasses.asdict(setup.dataset.info)
    distributed.on_main(lambda: folder.pin(setup.resolved, info, allow_change))
    distributed.check_equal('config', json.dumps([setup.resolved.config, info]))
    folder.write_json(
      'environment.json', {**environment.describe(), 'decoder': decode.DECODER}
    )
    limits, session = setup.resolved.group('watchdog'), None

    def hung():
      if session:
        session.saves.write_status('failed', LostPeerError.exit_code)

    # Outside of the session, whose start may fail, and whose report may hang.
    stack.enter_context(contextlib.closing(Watchdog(ledger, limits, hung)))
    session = Session(setup, folder, saving=saving, hooks=hooks, ledger=ledger)
    with _status(session):
      with _closed(session):
        state, evaluation = _run(session, interruption)
      session.saves.write_status('done')
      return _conclude(session, state, evaluation)


def _run(
  session: Session, interruption: Interruption
) -> tuple[TrainState, Evaluation]:
  get = session.setup.resolved.values
  for line in announce(session.setup, session.num_params, session.step):
    session.progress.say(line)
  with interruption.awaited() as interrupted, session.ledger.on('step'):
    if not distributed.are_several():  # who stop together, after a step
      session.programs.heed(interrupted)
    state = run_loop(
      session.state,
      start=session.step,
      total_steps=session.setup.resolved.total_steps,
      cadence=Cadence(
        log=get['log_every_steps'],
        evaluate=get['eval_every_steps'],
        checkpoint=get['checkpoint_every_steps'] or 0,
        checkpoint_seconds=60 * (get['checkpoint_every_minutes'] or 1e9),
      ),
      train_step=session.train_step,
      log=session.log,
      evaluate=session.validate,
      save=session.save,
      interrupted=lambda step: distributed.stops(step, interrupted()),
      finiteness=session.finiteness,
      batches_before=session.setup.batches_before,
      owed=session.owes_validation,
    )
  return state, session.test(state)


def _conclude(
  session: Session, state: TrainState, evaluation: Evaluation
) -> Result:
  seconds = session.seconds
  session.folder.write_json('goodput.json', session.accounts)
  path = None
  if session.saving and distributed.is_main():
    path = report.build(session.folder.path)
  whole = meshes.gathered(session.setup.mesh, state)
  fingerprint = digest(unstack(whole))
  session.progress.say(told(session.accounts))
  session.progress.say(
    f'test top1 {evaluation.top1:.2%} on {evaluation.count} images '
    f'after {seconds:.1f} s'
  )
  if path:
    session.progress.say(f'report {path}')
  session.progress.say(f'digest {fingerprint}')
  return Result(state, evaluation, fingerprint, seconds, path)


@contextlib.contextmanager
def _saving_nothing() -> Iterator[None]:
  """Says of an interruption that nothing was saved."""
  try:
    yield
  except PreemptedError as error:
    raise StoppedError(
      'Interrupted. Without a folder (--workdir) nothing is saved.'
    ) from error


@contextlib.contextmanager
def _closed(session: Session) -> Iterator[None]:
  """Closes a session, but where a save would wait for a lost process."""
  try:
    yield
  except Exception as error:
    lost = distributed.explained(error)
    if lost:
      raise lost from error
    session.close()
    raise
  except BaseException:
    session.close()
    raise
  session.close()


@contextlib.contextmanager
def _status(session: Session) -> Iterator[None]:
  """Writes how the run stands, however it ends."""
  session.saves.write_status('running')
  try:
    yield
  except BaseException as error:
    cause = error
    error = of_folder(error, session.folder.path) or error
    stopped = isinstance(error, PreemptedError | KeyboardInterrupt)
    code = error.exit_code if isinstance(error, ResflaxError) else 1
    with contextlib.suppress(StorageError):  # which may be why we are here
      session.saves.write_status(
        'preempted' if stopped else 'failed',
        PreemptedError.exit_code if stopped else code,
      )
    if isinstance(error, DataError | StorageError) and session.saves.newest:
      error = type(error)(f'{error} Saved at step {session.saves.newest}.')
    if error is cause:
      raise
    raise error from cause
