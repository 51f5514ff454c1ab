"""Checkpoints of a run: Orbax, asynchronous, atomic and verified.

Kept are the newest few, the best on the validation split, and optionally one
each so many steps. A step is on disk whole or not at all, and is saved once its
manifest is written.
"""

import functools
import time
from concurrent.futures import Future, ThreadPoolExecutor

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath

from resflax.errors import StorageError
from resflax.parallel import distributed
from resflax.training.orbax_noise import hush
from resflax.training.saved import SavedSteps, one_line
from resflax.training.state import TrainState, path_of


class Checkpointer:
  """Saves and restores `(state, meta)` under `workdir/checkpoints`."""

  def __init__(
    self,
    workdir: epath.PathLike,
    *,
    last: int = 2,
    every: int | None = None,
    read_only: bool = False,
  ):
    """Looks for what is saved.

    Args:
      workdir: of the run.
      last: how many of the newest to keep.
      every: keep each checkpoint whose step is a multiple of it.
      read_only: make and delete nothing: the run may be saving just now.
    """
    self._last, self._every, self._read_only = last, every, read_only
    self._steps = SavedSteps(epath.Path(workdir), read_only=read_only)
    self._thread = ThreadPoolExecutor(1, thread_name_prefix='manifest')
    self._saving: Future | None = None
    self.save_seconds = 0.0  # the last save took, until it was on disk

  @functools.cached_property
  def _manager(self) -> ocp.CheckpointManager:
    """Orbax's; made late, for it deletes what it takes for unfinished."""
    hush()
    return ocp.CheckpointManager(
      self._steps.folder,
      options=ocp.CheckpointManagerOptions(
        # Not Orbax's own read_only, which warns of itself at each use.
        cleanup_tmp_directories=not self._read_only,
        create=not self._read_only,
        lightweight_initialize=True,
      ),
      item_handlers={
        'state': ocp.StandardCheckpointHandler(),
        'meta': ocp.JsonCheckpointHandler(),
      },
    )

  @property
  def saved(self) -> int:
    """The newest step that is on disk; 0 without any."""
    return self._steps.newest

  def save(self, state: TrainState, meta: dict, metrics: dict | None) -> None:
    """Starts to save a state; the step before is on disk when this returns.

    Args:
      state: is copied off the devices before this returns.
      meta: plain numbers and strings beside the state.
      metrics: of the evaluation at this step, if there was one.

    Raises:
      StorageError: this or the save before could not be written.
    """
    step, began = int(state.step), time.monotonic()
    with one_line('write'):
      self._finish()
      self._manager.save(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardSave(_as_dict(state)),
          meta=ocp.args.JsonSave(meta),
        ),
        force=True,
      )
      self._saving = self._thread.submit(self._complete, step, metrics, began)

  def _complete(self, step: int, metrics: dict | None, began: float) -> None:
    """Waits for the commit; only then the step counts as saved."""
    self._manager.wait_until_finished()
    self._steps.add(step, metrics)
    self.save_seconds = time.monotonic() - began

  def _finish(self) -> None:
    """Waits for the save in flight; only then older ones are deleted."""
    if self._saving:
      saving, self._saving = self._saving, None
      saving.result()
      self._steps.delete_superseded(self._last, self._every)

  def latest(self) -> int | None:
    """Returns the newest step that is intact; see `SavedSteps.latest`.

    Of several processes, the main one reads and verifies.
    """
    step = distributed.on_main(self._steps.latest)
    if not distributed.is_main():
      self._steps.trust(step)
    return step

  def is_evaluated(self, step: int) -> bool:
    """Whether a step on disk was evaluated before it was saved."""
    return self._steps.is_evaluated(step)

  def best(self) -> tuple[int | None, float]:
    """Returns the best step and its accuracy; see `SavedSteps.best`."""
    return self._steps.best()

  def restore(self, like: TrainState, step: int) -> tuple[TrainState, dict]:
    """Returns the state and meta saved at `step`.

    Args:
      like: a state of the same tree: arrays, or shapes with shardings.
      step: one that is on disk.

    Raises:
      StorageError: the checkpoint is damaged, or does not hold this tree.
    """
    wrong = self._steps.damage(step)
    if wrong:
      raise StorageError(
        f'Checkpoint {step} in {str(self._steps.folder)!r} is damaged: {wrong}.'
      )
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, _as_dict(like))
    with one_line('read'):
      saved = self._manager.item_metadata(step).state
      _check_same(_leaves(saved), _leaves(abstract), step)
      restored = self._manager.restore(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardRestore(abstract),
          meta=ocp.args.JsonRestore(),
        ),
      )
    return TrainState(**restored['state']), restored['meta']

  def close(self) -> None:
    """Waits until the last save is on disk.

    Raises:
      StorageError: it could not be written.
    """
    with one_line('write'):
      try:
        self._finish()
      finally:
        self._thread.shutdown()
        if '_manager' in vars(self):
          self._manager.close()


def _as_dict(state: TrainState) -> dict:
  """A plain dict, so that a checkpoint does not name our classes."""
  return {name: getattr(state, name) for name in state.__dataclass_fields__}


def _leaves(tree) -> dict[str, str]:
  """Returns `{path: 'float32 (3, 3)'}` of arrays or of what describes them."""
  return {
    path_of(keys): f'{np.dtype(leaf.dtype).name} {tuple(leaf.shape)}'
    for keys, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def _check_same(saved: dict, wanted: dict, step: int) -> None:
  """Names the first leaf that differs; Orbax would cast a type silently."""
  for path in sorted(saved.keys() | wanted.keys()):
    if saved.get(path) != wanted.get(path):
      raise StorageError(
        f'Checkpoint {step} has {path} as {saved.get(path, "nothing")}, this '
        f'run as {wanted.get(path, "nothing")}: it is of another config.'
      )
