"""The two compiled functions of a run.

They know neither models nor data, which are passed in as functions.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from resflax.training.losses import hard, in_top_k, labels_of
from resflax.training.state import TrainState, update_ema


def make_train_step(
  forward: Callable,
  distort: Callable,
  loss: Callable,
  optimizer: optax.GradientTransformationExtraArgs,
  learning_rate: Callable,
  *,
  seed: int,
  ema_decay: float,
  ema_dynamic: bool,
  split: Callable | None = None,
  teach: Callable | None = None,
  gradient_norms: bool = False,
) -> Callable:
  """Returns `train_step(state, batch, teacher) -> (state, metrics)`.

  The last argument is the teacher's variables, and nothing without one. A step
  whose loss, gradient or statistics are not finite changes nothing but `step`.

  Args:
    forward: `(variables, images, train, rngs) -> (logits, updates)`.
    distort: `(key, images, labels) -> (images, targets)`, see `Distort`.
    loss: `(logits, labels) -> one number an example`.
    optimizer: the update rule, given the learning rate.
    learning_rate: of the step.
    seed: of all that is random, folded with the step.
    ema_decay: see `update_ema`.
    ema_dynamic: see `update_ema`.
    split: from the arrays of a batch to those of its parts, stacked, where
      gradients are accumulated.
    teach: `(teacher, images, logits) -> one number an example`, what is added
      to the loss.
    gradient_norms: whether the metrics hold the length of the gradient of each
      part of the net: stem, stages and head.
  """
  gradient = jax.grad(make_objective(forward, loss, teach), has_aux=True)
  if split:
    gradient = accumulated(gradient, split)
  update = make_update(optimizer, learning_rate, ema_decay, ema_dynamic)

  def train_step(state: TrainState, batch: Mapping, teacher: PyTree = ()):
    key = jax.random.fold_in(jax.random.key(seed), state.step)
    images, targets = distort(
      jax.random.fold_in(key, 1), batch['image'], labels_of(batch)
    )
    gradients, found = gradient(
      state.params, (state.batch_stats, teacher), key, images, targets
    )
    batch_stats = found.pop('batch_stats')
    updated = update(state, gradients, batch_stats)
    # Not the new parameters: they would have to be held beside the old ones.
    checked = (
      found['loss'] + optax.tree.norm(gradients) + optax.tree.sum(batch_stats)
    )
    finite = jnp.isfinite(checked)
    kept = jax.tree.map(
      lambda new, old: jnp.where(finite, new, old), updated, state
    )
    norms = {
      f'gradient_norm/{part}': optax.tree.norm(tree)
      for part, tree in (gradients.items() if gradient_norms else ())
    }
    state = kept.replace(step=updated.step)
    # The sum as well, for jax_debug_nans looks at what comes out.
    return state, {**found, **norms, 'finite': finite, 'checked': checked}

  return train_step


def make_update(
  optimizer: optax.GradientTransformationExtraArgs,
  learning_rate: Callable,
  ema_decay: float,
  ema_dynamic: bool,
) -> Callable:
  """Returns `update(state, gradients, batch_stats) -> state` of a step later.

  Args:
    optimizer: see `make_train_step`, as for the others.
    learning_rate: of the step.
    ema_decay: see `update_ema`.
    ema_dynamic: see `update_ema`.
  """

  def update(state: TrainState, gradients: PyTree, batch_stats: PyTree):
    deltas, opt_state = optimizer.update(
      gradients,
      state.opt_state,
      state.params,
      learning_rate=learning_rate(state.step),
    )
    params = optax.apply_updates(state.params, deltas)
    ema = state.ema and update_ema(
      state.ema,
      {'params': params, 'batch_stats': batch_stats},
      decay=ema_decay,
      dynamic=ema_dynamic,
      step=state.step,
    )
    return TrainState(state.step + 1, params, batch_stats, opt_state, ema)

  return update


def make_objective(
  forward: Callable, loss: Callable, teach: Callable | None
) -> Callable:
  """Returns `objective(params, fixed, key, images, targets) -> (loss, found)`.

  What is fixed are the batch statistics and the teacher; `found` is the loss
  again, the hits and the new statistics.

  Args:
    forward: see `make_train_step`, as for loss and teach.
  """

  def objective(params, fixed, key, images, targets):
    batch_stats, teacher = fixed
    logits, updates = forward(
      {'params': params, 'batch_stats': batch_stats},
      images,
      train=True,
      rngs={'dropout': key},
    )
    value = targets.average(lambda labels: loss(logits, labels)).mean()
    if teach:
      value += teach(teacher, images, logits).mean()
    hits = targets.average(
      lambda labels: in_top_k(logits, hard(labels), 1)
    ).mean()
    return value, {
      'loss': value,
      'top1': hits,
      'batch_stats': updates.get('batch_stats', {}),
    }

  return objective


def accumulated(gradient: Callable, split: Callable) -> Callable:
  """Returns a gradient that takes the parts of a batch after each other.

  It is the mean over the parts, like all that comes with it, and so that of
  the whole batch where no part sees another: each has whole groups of batch
  norm, and a key of its own.

  Args:
    gradient: `(params, fixed, key, images, targets) -> (gradients, aux)`.
    split: from the arrays of a batch to those of its parts, stacked.
  """

  def mean_gradient(params, fixed, key, images, targets):
    parts = split((images, targets))
    count = len(jax.tree.leaves(parts)[0])

    def add(total, numbered):
      number, part = numbered
      own = jax.random.fold_in(key, number)
      found = gradient(params, fixed, own, *part)
      return jax.tree.map(jnp.add, total, found), None

    first = jax.tree.map(lambda x: x[0], parts)
    shapes = jax.eval_shape(gradient, params, fixed, key, *first)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    total, _ = jax.lax.scan(add, zeros, (jnp.arange(count), parts))
    return jax.tree.map(lambda x: x / count, total)

  return mean_gradient


def make_eval_step(predict: Callable, loss: Callable) -> Callable:
  """Returns `eval_step(variables, batch) -> arrays, one number an example`.

  Args:
    predict: `(variables, images) -> logits`.
    loss: `(logits, labels) -> one number an example`.
  """

  def eval_step(variables: Mapping, batch: Mapping):
    logits = predict(variables, batch['image'])
    labels = batch['label']
    p = jax.nn.softmax(logits)
    return {
      'loss': loss(logits, labels),
      'top1': in_top_k(logits, labels, 1),
      'top5': in_top_k(logits, labels, 5),
      'prediction': jnp.argmax(logits, -1).astype(jnp.int32),
      'probability': p.max(-1),
      'label_probability': jnp.take_along_axis(p, labels[:, None], -1)[:, 0],
    }

  return eval_step
