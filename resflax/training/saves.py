"""The checkpoints of a run, and what its folder says of them."""

from collections.abc import Callable, Mapping

from resflax.models.layout import unstack
from resflax.training.checkpointing import Checkpointer
from resflax.training.finiteness import check_finite
from resflax.training.replicas import check_replicas
from resflax.training.setup import Setup
from resflax.training.state import TrainState
from resflax.training.workdir import Workdir

NOTICE_S = 30  # from SIGTERM to the end, on spot machines of most clouds


class Saves:
  """Saves states where a run keeps any, and tells what is on disk.

  Args:
    setup: of the run.
    folder: of the run.
    num_params: of the model.
    saving: whether checkpoints are kept.
  """

  def __init__(
    self, setup: Setup, folder: Workdir, num_params: int, *, saving: bool
  ):
    get = setup.resolved.values
    self._setup, self._folder, self._num_params = setup, folder, num_params
    self._checkpoints = None
    if saving:
      self._checkpoints = Checkpointer(
        folder.path, last=get['keep.last'], every=get['keep.every']
      )
    self._told, self._is_slow = 0, False

  @property
  def newest(self) -> int:
    """Updates done at the last save that is on disk; 0 without any."""
    return self._checkpoints.saved if self._checkpoints else 0

  @property
  def best(self) -> float:
    """The best accuracy on validation of those on disk; -1 without any."""
    return self._checkpoints.best()[1] if self._checkpoints else -1.0

  def start(self) -> int:
    """Returns the step of the newest intact checkpoint, or 0."""
    self._told = (self._checkpoints and self._checkpoints.latest()) or 0
    return self._told

  def state_at(self, step: int) -> tuple[TrainState, dict]:
    """Returns the state saved at a step and what lay beside; new at 0."""
    if not step:
      return self._setup.initial_state(), {}
    saved, meta = self._checkpoints.restore(self._setup.saved_shapes, step)
    return self._setup.from_saved(saved), meta

  def is_evaluated(self, step: int) -> bool:
    """Whether a step that is on disk was evaluated before it was saved."""
    return self._checkpoints.is_evaluated(step)

  def save(
    self, state: TrainState, step: int, meta: dict, metrics: Mapping | None
  ) -> None:
    """Saves a state.

    Args:
      state: at the step.
      step: updates done.
      meta: plain numbers beside the state.
      metrics: of the evaluation at the step, if there was one.

    Raises:
      NotFiniteError: a number in it is not.
      LostPeerError: devices have drifted apart.
      StorageError: this or the save before could not be written.
    """
    check_finite(state, step)
    if self._setup.mesh.size > 1:
      check_replicas(state, step)
    self._checkpoints.save(unstack(state), meta, metrics)

  def tell(self, say: Callable[[str], None]) -> None:
    """Writes the status once a save is on disk; says once that one was slow."""
    if self.newest <= self._told:
      return
    self._told = self.newest
    self.write_status('running')
    took = self._checkpoints.save_seconds
    if took > NOTICE_S and not self._is_slow:
      self._is_slow = True
      say(
        f'note: a save took {took:.0f} s, and spot machines are taken away '
        f'{NOTICE_S} s after SIGTERM: lower config.checkpoint_every_*'
      )

  def write_status(self, state: str, exit_code: int = 0) -> None:
    """Says how the run stands."""
    self._folder.write_status(
      state,
      exit_code,
      step=self.newest,
      total_steps=self._setup.resolved.total_steps,
      params=self._num_params,
    )

  def close(self) -> None:
    """Waits until the last save is on disk."""
    if self._checkpoints:
      self._checkpoints.close()
