"""Steps whose loss or gradient is not finite: left out, counted, limited."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import jax
import numpy as np
from jaxtyping import PyTree

from resflax.errors import NotFiniteError
from resflax.training.state import path_of

MOST_IN_A_ROW = 3
CHECKS = ('finite', 'checked')  # of a step's metrics; the others are logged
_LISTED = 8  # examples named in the message


class Finiteness:
  """Counts the steps that changed nothing, and ends a run of them.

  Attributes:
    total: of the run.
    in_a_row: up to the last step.
  """

  def __init__(
    self,
    total: int = 0,
    in_a_row: int = 0,
    examples: Callable[[int], Sequence[int]] | None = None,
    keep: Callable[[list[dict]], None] | None = None,
  ):
    """Goes on counting.

    Args:
      total: of earlier starts.
      in_a_row: up to the step that the run goes on from.
      examples: the ids of those that a step sees, for the message.
      keep: is given `{step, examples}` of each of the steps that end the run.
    """
    self.total, self.in_a_row = total, in_a_row
    self._examples, self._keep = examples, keep

  def add(self, step: int, metrics: Mapping) -> bool:
    """Returns whether a step was finite.

    Args:
      step: counted from 1; steps come in order.
      metrics: of the step, on the host.

    Raises:
      NotFiniteError: it is the third in a row that is not.
    """
    if metrics['finite']:
      self.in_a_row = 0
      return True
    self.total += 1
    self.in_a_row += 1
    if self.in_a_row == MOST_IN_A_ROW:
      raise NotFiniteError(self._message(step, float(metrics['loss'])))
    return False

  def _message(self, last: int, loss: float) -> str:
    first = last - MOST_IN_A_ROW + 1
    seen = ''
    if self._examples:
      steps = [
        {'step': step, 'examples': list(self._examples(step))}
        for step in range(first, last + 1)
      ]
      if self._keep:
        self._keep(steps)
      ids = steps[0]['examples']
      more = f' and {len(ids) - _LISTED} more' if len(ids) > _LISTED else ''
      listed = ', '.join(map(str, ids[:_LISTED])) + more
      seen = f' Step {first} saw the examples {listed} (not_finite.json).'
    return (
      'The loss or its gradient is not finite at the steps '
      f'{first} to {last} (loss {loss:g}): lower config.optimizer.lr or '
      'lengthen config.schedule.warmup_*. Their updates were left out, so no '
      f'checkpoint holds them.{seen}'
    )


def watched(step: Callable) -> Callable:
  """Returns a step in which `jax_debug_nans` acts.

  JAX's flag alone does not: where a thread leaves a function that turns it off
  for itself, as initialisers do, it stays off there (jax 0.10.2).
  """

  def call(*args):
    with jax.debug_nans(True):
      return step(*args)

  return call


def check_finite(state: PyTree, step: int) -> None:
  """Refuses a state that no run could go on from.

  The mask of a step looks at the loss, the gradient and the statistics; what
  else may overflow is found here, before it is saved.

  Raises:
    NotFiniteError: names the first leaf.
  """
  for keys, leaf in jax.tree_util.tree_leaves_with_path(state):
    if not all(np.isfinite(part).all() for part in _parts(leaf)):
      raise NotFiniteError(
        f'{path_of(keys)} is not finite at step {step}, though its loss and '
        'gradient are: lower config.optimizer.lr. The state was not saved.'
      )


def _parts(leaf: jax.Array) -> Iterator[np.ndarray]:
  """Yields what this process holds of an array, but for copies."""
  shards = leaf.addressable_shards
  for shard in shards[:1] if leaf.is_fully_replicated else shards:
    yield np.asarray(shard.data)
