"""One start of a run: its state, its programs, and what the loop calls."""

import contextlib
import time
from collections.abc import Callable, Sequence

import jax
from rich.console import Console

from resflax.data.bad import Bad, BadExamples
from resflax.errors import DataError
from resflax.evaluation.classification import Evaluation, evaluate
from resflax.evaluation.record import save_evaluation
from resflax.models.layout import unstack
from resflax.parallel import distributed
from resflax.parallel import mesh as meshes
from resflax.resolution import resolution_at, stage_at
from resflax.training.checkpointing import Checkpointer
from resflax.training.finiteness import Finiteness, check_finite
from resflax.training.jobs import EVAL, jobs_from, train_key
from resflax.training.loop import Clock, due, steps_left
from resflax.training.metrics import Metrics
from resflax.training.programs import Programs
from resflax.training.progress import LiveProgress
from resflax.training.setup import Setup
from resflax.training.state import TrainState
from resflax.training.workdir import Workdir


class Session:
  """Between the loop, which knows steps, and the folder, which keeps them.

  Attributes:
    setup: the pieces of the run.
    folder: of the run.
    saving: whether checkpoints and a report are kept.
    state: at the start of the session.
    step: updates done.
    num_params: of the model.
    clock: seconds of the run.
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
  ):
    """Restores the newest checkpoint, or initialises; starts to compile."""
    get = setup.resolved.values
    self.setup, self.folder, self.saving = setup, folder, saving
    self._hooks = hooks
    self._checkpoints = (
      Checkpointer(folder.path, last=get['keep.last'], every=get['keep.every'])
      if saving
      else None
    )
    began = time.monotonic()
    latest = self._checkpoints.latest() if self._checkpoints else None
    self.step = self._told = latest or 0
    jobs = jobs_from(setup, self.step)
    self.programs = Programs(jobs)  # while the state is made
    try:
      self.state, meta = self._first_state(latest)
    except BaseException:  # an interruption too: not all has to be compiled
      self.programs.close()
      raise
    if distributed.are_several() and _is_gpu(setup.mesh):
      # XLA's autotuning waits for every host, so all compile at once.
      self.programs.wait()
    self.num_params = sum(x.size for x in jax.tree.leaves(self.state.params))
    self.clock = Clock(meta.get('seconds', 0.0) + time.monotonic() - began)
    self.finiteness = Finiteness(
      meta.get('not_finite', 0),
      meta.get('not_finite_in_a_row', 0),
      examples=setup.inputs.example_ids,
      keep=lambda steps: folder.write_json('not_finite.json', {'steps': steps}),
    )
    self._bad = BadExamples(
      setup.num_examples,
      get['data.bad_budget'],
      distributed.on_main(self._still_bad),
    )
    self._bad_here: tuple[Bad, ...] = ()  # of this process, not yet counted
    self.batches = setup.inputs.train_batches(self.step)
    self._metrics = Metrics(
      folder.path, self.step, get['writers'] if saving else ()
    )
    self._validated: tuple[int, dict] = (0, {})  # the step, and its row
    self._best = self._checkpoints.best()[1] if self._checkpoints else -1.0
    self._logged = self.step
    self.progress = LiveProgress(
      setup.resolved.total_steps,
      self.step,
      Console(quiet=not distributed.is_main()),
    )

  def _first_state(self, step: int | None) -> tuple[TrainState, dict]:
    """Returns the state saved at a step, or a new one, and what lay beside."""
    if step is None:
      return self.setup.initial_state(), {}
    saved, meta = self._checkpoints.restore(self.setup.saved_shapes, step)
    return self.setup.from_saved(saved), meta

  @property
  def saved(self) -> int:
    """Updates done at the last save that is on disk."""
    return self._checkpoints.saved if self._checkpoints else 0

  @property
  def owes_validation(self) -> bool:
    """Whether the state was saved because its validation failed."""
    get = self.setup.resolved.values
    is_due = due(self.step, get['eval_every_steps'], self.setup.batches_before)
    return bool(
      self.step
      and self._checkpoints
      and (is_due or self.step == self.setup.resolved.total_steps)
      and not self._checkpoints.is_evaluated(self.step)
    )

  def _still_bad(self) -> list[Sequence]:
    """Returns the bad examples of earlier starts that nobody has replaced."""
    found = self.folder.bad_examples()
    if found:
      found = self.setup.inputs.bad_among([index for index, *_ in found])
      self.folder.write_bad_examples(found)
    return found

  def train_step(self, state: TrainState, step: int):
    """Runs the program of the step's stage on the step's batch."""
    with self.clock.paused():
      stage = stage_at(self.setup.stages, step)
      program = self.programs.get(train_key(stage))
    batch = next(self.batches)
    try:
      self._bad_here += batch.pop('bad')
      if not distributed.are_several() or self._is_logged(step + 1):
        self._count_bad()
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

  def _is_logged(self, step: int) -> bool:
    every = self.setup.resolved['log_every_steps']
    return due(step, every, self.setup.batches_before)

  def _count_bad(self) -> None:
    """Keeps the list of bad examples; says of each new one what it is."""
    here, self._bad_here = self._bad_here, ()
    bad = [
      Bad(*found)
      for there in distributed.gathered('bad', here)
      for found in there
    ]
    if not bad:
      return
    try:
      new = self._bad.add(bad)
    finally:
      self.folder.write_bad_examples(self._bad.found)
    for example in new:
      self.progress.say(f'cannot use {example.place}: {example.reason}')

  def log(self, state: TrainState, step: int, means: dict) -> None:
    """Writes a row of training metrics."""
    stages, total = self.setup.stages, self.setup.resolved.total_steps
    lap, steps = self.clock.lap(), step - self._logged
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
    self._tell_saved()

  def validate(self, state: TrainState, step: int) -> bool:
    """Evaluates on the validation split; returns whether it is the best."""
    with self.clock.paused():
      evaluation = self._evaluate(state, self.setup.resolved['data.val_split'])
      row = {**self._position(step), **evaluation.row('eval')}
      self._write(state, row)
      self.progress.row(row)
      self._validated = step, evaluation.row('eval')
      best = evaluation.top1 > self._best
      self._best = max(self._best, evaluation.top1)
      return best

  def save(self, state: TrainState, step: int) -> None:
    """Saves the state, with the evaluation if this step had one."""
    with self.clock.paused():
      if self._checkpoints:
        check_finite(state, step)
        meta = {
          'seconds': self.clock.seconds,
          'not_finite': self.finiteness.total,
          'not_finite_in_a_row': self.finiteness.in_a_row,
        }
        evaluated, metrics = self._validated
        self._checkpoints.save(
          unstack(state), meta, metrics if evaluated == step else None
        )
        self._metrics.checkpoint(step)
        self._tell_saved()

  def test(self, state: TrainState) -> Evaluation:
    """Evaluates on the test split and keeps what the report shows of it."""
    get = self.setup.resolved.values
    evaluation = self._evaluate(state, get['data.test_split'])
    row = {**self._position(self.step), **evaluation.row('test')}
    self._write(state, row)
    if distributed.is_main():
      save_evaluation(
        self.folder.path / 'evaluation.npz',
        evaluation,
        lambda index: self.setup.inputs.picture(get['data.test_split'], index),
        split=get['data.test_split'],
        resolution=get['resolution.test'],
        class_names=self.setup.dataset.info.class_names,
      )
    return evaluation

  def _evaluate(self, state: TrainState, split: str) -> Evaluation:
    program = self.programs.get(EVAL)
    variables = meshes.gathered(self.setup.mesh, state.eval_variables)

    def eval_step(variables, batch):
      return program(variables, meshes.shard(self.setup.mesh, batch))

    batches = self.setup.inputs.eval_batches(split)
    return evaluate(eval_step, variables, batches, distributed.rows_of_all)

  def _position(self, step: int) -> dict[str, int | float]:
    """Where in the run a row belongs."""
    examples = self.setup.examples_before(step)
    return {
      'step': step,
      'epoch': examples / self.setup.num_examples,
      'examples': examples,
      'time': self.clock.seconds,
    }

  def _write(self, state: TrainState, row: dict) -> None:
    self._metrics.write(row)
    for hook in self._hooks:
      hook(row['step'], state, row)

  def _tell_saved(self) -> None:
    """Says so, once a save is on disk."""
    if self.saved > self._told:
      self._told = self.saved
      self.write_status('running')

  def write_status(self, state: str, exit_code: int = 0) -> None:
    """Says how the run stands."""
    self.folder.write_status(
      state,
      exit_code,
      step=self.saved,
      total_steps=self.setup.resolved.total_steps,
      params=self.num_params,
    )

  def close(self) -> None:
    """Ends threads and workers and waits until everything is on disk."""
    parts = [self._metrics, self.batches, self.programs, self.progress]
    with contextlib.ExitStack() as stack:  # all, whichever of them fails
      if self._checkpoints:
        stack.callback(self._checkpoints.close)
      for part in parts:
        stack.callback(part.close)


def _is_gpu(mesh: jax.sharding.Mesh) -> bool:
  return mesh.devices.flat[0].platform == 'gpu'
