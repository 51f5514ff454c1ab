"""One start of a run: its state, its programs, and what the loop calls."""

import contextlib
import math
import time
from collections.abc import Callable, Sequence

import jax
from rich.console import Console

from resflax.errors import DataError
from resflax.evaluation.classification import Evaluation
from resflax.goodput import HIDDEN
from resflax.parallel import distributed
from resflax.parallel import mesh as meshes
from resflax.resolution import resolution_at, stage_at
from resflax.training.bad_count import BadCount
from resflax.training.evaluations import evaluated, keep
from resflax.training.finiteness import Finiteness
from resflax.training.jobs import jobs_from, train_key
from resflax.training.ledger import Ledger
from resflax.training.loop import due, steps_left
from resflax.training.metrics import Metrics, last_time
from resflax.training.programs import Programs
from resflax.training.progress import LiveProgress
from resflax.training.saves import Saves
from resflax.training.setup import Setup
from resflax.training.state import TrainState
from resflax.training.workdir import Workdir


class Session:
  """Between the loop, which knows steps, and the folder, which keeps them.

  Attributes:
    setup: the pieces of the run.
    folder: of the run.
    saving: whether checkpoints and a report are kept.
    saves: its checkpoints.
    state: at the start of the session.
    step: updates done.
    num_params: of the model.
    ledger: where the time goes.
    finiteness: counts the steps that were not finite.
    programs: compiled ahead, by use and resolution.
    batches: of the steps to come, on the host.
    progress: what a person sees.
  """

  def __init__(
    self,
    setup: Setup,
    folder: Workdir,
    *,
    saving: bool,
    hooks: Sequence[Callable],
    ledger: Ledger,
  ):
    """Restores the newest checkpoint, or initialises; starts to compile."""
    get = setup.resolved.values
    self.setup, self.folder, self.saving = setup, folder, saving
    self._hooks, self.ledger = hooks, ledger
    self.num_params = sum(
      math.prod(x.shape) for x in jax.tree.leaves(setup.state_shapes.params)
    )
    self.saves = Saves(setup, folder, self.num_params, saving=saving)
    self._began = time.monotonic()
    with ledger.on('restore'):
      self.step = self.saves.start()
    jobs = jobs_from(setup, self.step)
    self.programs = Programs(jobs)  # while the state is made
    try:
      with ledger.on('restore' if self.step else 'setup'):
        self.state, meta = self.saves.state_at(self.step)
    except BaseException:  # an interruption too: not all has to be compiled
      self.programs.close()
      raise
    if distributed.are_several() and _is_gpu(setup.mesh):
      # XLA's autotuning waits for every host, so all compile at once.
      self.programs.wait_for_all()
    self._before = meta.get('seconds', 0.0)
    ledger.go_on(meta.get('ledger', {}))
    self._stepped = self._stepping
    self.finiteness = Finiteness(
      meta.get('not_finite', 0),
      meta.get('not_finite_in_a_row', 0),
      examples=setup.inputs.example_ids,
      keep=lambda steps: folder.write_json('not_finite.json', {'steps': steps}),
    )
    self.batches = setup.inputs.train_batches(self.step)
    redone = distributed.on_main(lambda: last_time(folder.path, self.step))
    if redone:
      ledger.add('lost', max(0.0, redone - self._before))
    self._metrics = Metrics(
      folder.path, self.step, get['writers'] if saving else ()
    )
    self._validated: tuple[int, dict] = (0, {})  # the step, and its row
    self._best = self.saves.best
    self._logged = self.step
    self.progress = LiveProgress(
      setup.resolved.total_steps,
      self.step,
      Console(quiet=not distributed.is_main()),
    )
    self._bad = BadCount(setup, folder, self.progress.say)

  @property
  def seconds(self) -> float:
    """Seconds of the run so far, over its restarts."""
    return self._before + time.monotonic() - self._began

  @property
  def _stepping(self) -> float:
    """Seconds of steps so far."""
    return self.ledger['step'] + self.ledger['data']

  @property
  def accounts(self) -> dict[str, float]:
    """Seconds of the run by account, see `ledger`."""
    return self.ledger.seconds() | {
      HIDDEN: self.ledger[HIDDEN] + self.programs.hidden_s
    }

  @property
  def owes_validation(self) -> bool:
    """Whether the state was saved because its validation failed."""
    get = self.setup.resolved.values
    is_due = due(self.step, get['eval_every_steps'], self.setup.batches_before)
    return bool(
      self.step
      and (is_due or self.step == self.setup.resolved.total_steps)
      and not self.saves.is_evaluated(self.step)
    )

  def train_step(self, state: TrainState, step: int):
    """Runs the program of the step's stage on the step's batch."""
    with self.ledger.on('compile'):
      stage = stage_at(self.setup.stages, step)
      program = self.programs.get(train_key(stage))
    with self.ledger.on('data'):
      batch = next(self.batches)
    try:
      every = self.setup.resolved['log_every_steps']
      has_row = due(step + 1, every, self.setup.batches_before)
      self._bad.add(batch.pop('bad'), has_row=has_row)
    except DataError:
      del batch  # shared memory of a worker, which the error would keep
      raise
    batch = meshes.shard(self.setup.mesh, batch)
    self.step = step + 1
    self.progress.step(self.step)
    first, last = self.setup.resolved['profile_steps'] or (0, 0)
    if self.step == first:
      jax.profiler.start_trace(str(self.folder.path / 'profile'))
    state, metrics = program(state, batch, *self.setup.beside_batch)
    if first and self.step == last:
      jax.block_until_ready(metrics)
      jax.profiler.stop_trace()
    return state, metrics

  def log(self, state: TrainState, step: int, means: dict) -> None:
    """Writes a row of training metrics."""
    stages, total = self.setup.stages, self.setup.resolved.total_steps
    stepping = self._stepping
    lap, self._stepped = stepping - self._stepped, stepping
    steps = step - self._logged
    before = self.setup.examples_before
    examples = before(step) - before(self._logged)
    self._logged = step
    row = {
      **self._position(step),
      **means,
      'lr': float(self.setup.learning_rate(step - 1)),
      'resolution': resolution_at(stages, step - 1),
      'images_per_second': examples / lap,
      'bad_examples': len(self._bad),
      'not_finite': self.finiteness.total,
      'compile_hidden_s': self.programs.hidden_s,
      'compile_exposed_s': self.programs.exposed_s,
    }
    self._write(state, row)
    left = lap / steps * steps_left(stages, step, total)
    self.progress.row({**row, 'seconds_left': left})
    self.saves.tell(self.progress.say)

  def validate(self, state: TrainState, step: int) -> bool:
    """Evaluates on the validation split; returns whether it is the best."""
    with self.ledger.on('evaluate'):
      evaluation = self._evaluated(state, 'data.val_split')
      row = {**self._position(step), **evaluation.row('eval')}
      self._write(state, row)
      self.progress.row(row)
      self._validated = step, evaluation.row('eval')
      best = evaluation.top1 > self._best
      self._best = max(self._best, evaluation.top1)
      return best

  def save(self, state: TrainState, step: int) -> None:
    """Saves the state, with the evaluation if this step had one."""
    if not self.saving:
      return
    with self.ledger.on('save'):
      meta = {
        'seconds': self.seconds,
        'ledger': self.accounts,
        'not_finite': self.finiteness.total,
        'not_finite_in_a_row': self.finiteness.in_a_row,
      }
      at, metrics = self._validated
      self.saves.save(state, step, meta, metrics if at == step else None)
      self._metrics.checkpoint(step)
      self.saves.tell(self.progress.say)

  def test(self, state: TrainState) -> Evaluation:
    """Evaluates on the test split and keeps what the report shows of it."""
    with self.ledger.on('evaluate'):
      evaluation = self._evaluated(state, 'data.test_split')
    row = {**self._position(self.step), **evaluation.row('test')}
    self._write(state, row)
    keep(self.setup, self.folder, evaluation)
    return evaluation

  def _evaluated(self, state: TrainState, split: str) -> Evaluation:
    split = self.setup.resolved[split]
    return evaluated(self.setup, self.programs, self.ledger, state, split)

  def _position(self, step: int) -> dict[str, int | float]:
    """Where in the run a row belongs."""
    examples = self.setup.examples_before(step)
    return {
      'step': step,
      'epoch': examples / self.setup.inputs.epoch_examples,
      'examples': examples,
      'time': self.seconds,
    }

  def _write(self, state: TrainState, row: dict) -> None:
    self._metrics.write(row)
    for hook in self._hooks:
      hook(row['step'], state, row)

  def close(self) -> None:
    """Ends threads and workers and waits until everything is on disk."""
    parts = [self._metrics, self.batches, self.programs, self.progress]
    with contextlib.ExitStack() as stack:  # all, whichever of them fails
      stack.enter_context(self.ledger.on('save'))
      stack.callback(self.saves.close)
      for part in parts:
        stack.callback(part.close)


def _is_gpu(mesh: jax.sharding.Mesh) -> bool:
  return mesh.devices.flat[0].platform == 'gpu'
