"""Everything a step changes, its moving average and its fingerprint."""

import hashlib
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jaxtyping import Array, PyTree


@struct.dataclass
class TrainState:
  """The state of a run after `step` updates.

  Attributes:
    step: updates done; the run's only clock.
    params: of the model.
    batch_stats: running statistics of its normalisation.
    opt_state: of the update rule.
    ema: average of {'params', 'batch_stats'}, or None without one.
  """

  # A scalar array, but JAX makes such trees of shapes and shardings as well.
  step: PyTree
  params: PyTree
  batch_stats: PyTree
  opt_state: PyTree
  ema: PyTree | None

  @property
  def variables(self) -> dict:
    """The model's variables as trained."""
    return {'params': self.params, 'batch_stats': self.batch_stats}

  @property
  def eval_variables(self) -> dict:
    """The model's variables to evaluate with: the average where there is."""
    return self.variables if self.ema is None else self.ema


def create_state(
  variables: Mapping, optimizer: optax.GradientTransformation, *, ema: bool
) -> TrainState:
  """Returns the state at step 0 for a model's initial variables."""
  params = variables['params']
  batch_stats = variables.get('batch_stats', {})
  # A copy: the step donates its input, and one buffer cannot be given twice.
  average = {'params': params, 'batch_stats': batch_stats}
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=params,
    batch_stats=batch_stats,
    opt_state=optimizer.init(params),
    ema=jax.tree.map(jnp.copy, average) if ema else None,
  )


def update_ema(
  ema: PyTree, variables: PyTree, *, decay: float, dynamic: bool, step: Array
) -> PyTree:
  """Returns the average after one more update.

  Args:
    ema: the average before.
    variables: the new parameters and statistics.
    decay: weight of the average before, in [0, 1).
    dynamic: use min(decay, (1 + step) / (10 + step)), which forgets the
      initialisation. Source: TF's ExponentialMovingAverage, `num_updates`.
    step: updates done before this one. Model Garden's optimiser counts this one
      too, so its first decay is 2/11, and here 1/10.
  """
  step = step.astype(jnp.float32)
  if dynamic:
    decay = jnp.minimum(decay, (1 + step) / (10 + step))
  return jax.tree.map(lambda e, v: e + (1 - decay) * (v - e), ema, variables)


def path_of(keys: tuple) -> str:
  """Returns the path of a leaf: `params/stem/conv1/conv/kernel`."""
  return jax.tree_util.keystr(keys, simple=True, separator='/')


def digest(state: TrainState) -> str:
  """Returns the SHA-256 of parameters, batch statistics and their average.

  Over the leaves in the order of their paths: path, type, shape and
  little-endian bytes of each. Two runs with one digest are the same run.
  """
  return digest_of({**state.variables, 'ema': state.ema})


def digest_of(tree: PyTree) -> str:
  """Returns the SHA-256 of a tree of arrays, see `digest`."""
  leaves = {
    path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }
  sha = hashlib.sha256()
  for path in sorted(leaves):
    array = np.asarray(leaves[path])
    array = array.astype(array.dtype.newbyteorder('<'))
    sha.update(f'{path} {array.dtype.name} {array.shape} '.encode())
    sha.update(array.tobytes())
  return sha.hexdigest()
