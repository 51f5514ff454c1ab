"""Checkpoints of a run: Orbax, asynchronous and atomic.

Kept are the newest few, the best on the validation split, and optionally one
each so many steps. A step is on disk whole or not at all.
"""

import contextlib
from collections.abc import Iterator

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from orbax.checkpoint.checkpoint_managers import preservation_policy as policy

from resflax.errors import StorageError, first_line
from resflax.training.state import TrainState

METRIC = 'eval/top1'
NOT_EVALUATED = {METRIC: -1.0}  # loses against every accuracy


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
    """Opens or makes the folder.

    Args:
      workdir: of the run.
      last: how many of the newest to keep.
      every: keep each checkpoint whose step is a multiple of it.
      read_only: make and delete nothing: the run may be saving just now.
    """
    policies = [
      policy.LatestN(last),
      policy.BestN(get_metric_fn=lambda metrics: metrics[METRIC], n=1),
    ]
    if every:
      policies.append(policy.EveryNSteps(every))
    with _one_line('open'):
      self._manager = ocp.CheckpointManager(
        epath.Path(workdir) / 'checkpoints',
        options=ocp.CheckpointManagerOptions(
          preservation_policy=policy.AnyPreservationPolicy(policies),
          best_fn=lambda metrics: metrics[METRIC],
          # Not Orbax's own read_only, which warns of itself at each use.
          cleanup_tmp_directories=not read_only,
          create=not read_only,
        ),
        item_handlers={
          'state': ocp.StandardCheckpointHandler(),
          'meta': ocp.JsonCheckpointHandler(),
        },
      )

  def save(self, state: TrainState, meta: dict, metrics: dict | None) -> None:
    """Starts to save a state; the step before is on disk when this returns.

    Args:
      state: is copied off the devices before this returns.
      meta: plain numbers and strings beside the state.
      metrics: of the evaluation at this step, if there was one.

    Raises:
      StorageError: this or the save before could not be written.
    """
    with _one_line('write'):
      self._manager.wait_until_finished()
      self._manager.save(
        int(state.step),
        args=ocp.args.Composite(
          state=ocp.args.StandardSave(_as_dict(state)),
          meta=ocp.args.JsonSave(meta),
        ),
        metrics=metrics or NOT_EVALUATED,
        force=True,
      )

  def latest(self) -> int | None:
    """Returns the newest step on disk, or None."""
    return self._manager.latest_step()

  def is_evaluated(self, step: int) -> bool:
    """Whether a step on disk was evaluated before it was saved."""
    return self._manager.metrics(step)[METRIC] >= 0

  def best(self) -> tuple[int | None, float]:
    """Returns the best step on the validation split and its accuracy.

    (None, -1) where no checkpoint was evaluated.
    """
    step = self._manager.best_step()
    metrics = NOT_EVALUATED if step is None else self._manager.metrics(step)
    accuracy = metrics[METRIC]
    return (step if accuracy >= 0 else None), accuracy

  def restore(self, like: TrainState, step: int) -> tuple[TrainState, dict]:
    """Returns the state and meta saved at `step`.

    Args:
      like: a state of the same tree: arrays, or shapes with shardings.
      step: one that is on disk.

    Raises:
      StorageError: the checkpoint does not hold this tree.
    """
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, _as_dict(like))
    with _one_line('read'):
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
    """Waits until the last save is on disk."""
    with _one_line('write'):
      self._manager.wait_until_finished()
      self._manager.close()


def _as_dict(state: TrainState) -> dict:
  """A plain dict, so that a checkpoint does not name our classes."""
  return {name: getattr(state, name) for name in state.__dataclass_fields__}


def _leaves(tree) -> dict[str, str]:
  """Returns `{path: 'float32 (3, 3)'}` of arrays or of what describes them."""
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): (
      f'{np.dtype(leaf.dtype).name} {tuple(leaf.shape)}'
    )
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def _check_same(saved: dict, wanted: dict, step: int) -> None:
  """Names the first leaf that differs; Orbax would cast a type silently."""
  for path in sorted(saved.keys() | wanted.keys()):
    if saved.get(path) != wanted.get(path):
      raise StorageError(
        f'Checkpoint {step} has {path} as {saved.get(path, "nothing")}, this '
        f'run as {wanted.get(path, "nothing")}: it is of another config.'
      )


@contextlib.contextmanager
def _one_line(verb: str) -> Iterator[None]:
  try:
    yield
  except StorageError:
    raise
  except Exception as error:
    raise StorageError(
      f'Cannot {verb} a checkpoint: {first_line(error)}'
    ) from error
