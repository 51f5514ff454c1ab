"""The two compiled functions of a run.

They know neither models nor data: `forward` and `loss` are passed in.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax

from resflax.training.losses import in_top_k
from resflax.training.state import TrainState, update_ema


def make_train_step(
  forward: Callable,
  loss: Callable,
  optimizer: optax.GradientTransformation,
  learning_rate: Callable,
  *,
  seed: int,
  ema_decay: float,
  ema_dynamic: bool,
) -> Callable:
  """Returns `train_step(state, batch) -> (state, metrics)`.

  Args:
    forward: `(variables, images, train, rngs) -> (logits, updates)`.
    loss: `(logits, labels) -> one number an example`.
    optimizer: the update rule, without the learning rate.
    learning_rate: of the step.
    seed: of dropout and stochastic depth, folded with the step.
    ema_decay: see `update_ema`.
    ema_dynamic: see `update_ema`.
  """

  def train_step(state: TrainState, batch: Mapping):
    key = jax.random.fold_in(jax.random.key(seed), state.step)

    def objective(params):
      logits, updates = forward(
        {'params': params, 'batch_stats': state.batch_stats},
        batch['image'],
        train=True,
        rngs={'dropout': key},
      )
      return loss(logits, batch['label']).mean(), (logits, updates)

    (value, (logits, updates)), gradients = jax.value_and_grad(
      objective, has_aux=True
    )(state.params)
    deltas, opt_state = optimizer.update(
      gradients, state.opt_state, state.params
    )
    rate = learning_rate(state.step)
    params = optax.apply_updates(
      state.params, jax.tree.map(lambda delta: -rate * delta, deltas)
    )
    batch_stats = updates.get('batch_stats', {})
    ema = state.ema and update_ema(
      state.ema,
      {'params': params, 'batch_stats': batch_stats},
      decay=ema_decay,
      dynamic=ema_dynamic,
      step=state.step,
    )
    metrics = {
      'loss': value,
      'top1': in_top_k(logits, batch['label'], 1).mean(),
      'finite': jnp.isfinite(value + optax.tree.norm(gradients)),
    }
    state = TrainState(state.step + 1, params, batch_stats, opt_state, ema)
    return state, metrics

  return train_step


def make_eval_step(forward: Callable, loss: Callable) -> Callable:
  """Returns `eval_step(variables, batch) -> arrays, one number an example`."""

  def eval_step(variables: Mapping, batch: Mapping):
    logits, _ = forward(variables, batch['image'], train=False, rngs={})
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
