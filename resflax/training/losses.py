"""Losses and hits, one number an example: the caller weighs and averages."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def cross_entropy(
  logits: Float[Array, 'batch classes'],
  labels: Int[Array, ' batch'],
  label_smoothing: float = 0.0,
) -> Float[Array, ' batch']:
  """Returns the cross-entropy in nats against smoothed one-hot targets.

  Source: Szegedy et al. 2016, section 7: a target of 1 becomes
  1 - label_smoothing + label_smoothing / classes, one of 0 becomes
  label_smoothing / classes (as TF and torch have it).
  """
  log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
  hit = jnp.take_along_axis(log_p, labels[:, None], axis=-1)[:, 0]
  return -(1 - label_smoothing) * hit - label_smoothing * log_p.mean(-1)


def distillation(
  logits: Float[Array, 'batch classes'],
  teacher: Float[Array, 'batch classes'],
  temperature: float,
) -> Float[Array, ' batch']:
  """Returns the cross-entropy in nats against a teacher's softened classes.

  Times the squared temperature, so that gradients stay as large whatever it
  is. Source: Hinton et al. 2015, section 2; Bag of Tricks (He et al. 2019),
  section 5.2, with a temperature of 20.
  """
  log_p = jax.nn.log_softmax(logits.astype(jnp.float32) / temperature)
  soft = jax.nn.softmax(teacher.astype(jnp.float32) / temperature)
  return -(temperature**2) * (soft * log_p).sum(-1)


def in_top_k(
  logits: Float[Array, 'batch classes'], labels: Int[Array, ' batch'], k: int
) -> Bool[Array, ' batch']:
  """Returns whether the label is among the k largest logits.

  Equal logits rank by class number, as `argmax` has it, so a net that says
  the same for every class is right for one of them, not for all; a logit
  that is not a number is never right.
  """
  own = jnp.take_along_axis(logits, labels[:, None], axis=-1)
  before = jnp.arange(logits.shape[-1])[None, :] < labels[:, None]
  rank = jnp.sum((logits > own) | ((logits == own) & before), axis=-1)
  return (rank < k) & jnp.isfinite(logits).all(-1)
