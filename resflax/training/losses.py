"""Losses and hits, one number an example: the caller weighs and averages."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class SoftLabels(NamedTuple):
  """Labels, some of which are a teacher's classes by their probability.

  Attributes:
    hard: one class each; the likeliest of the teacher's.
    classes: the teacher's.
    weights: their probabilities; 0 in rows where `hard` is all there is.
  """

  hard: Int[Array, ' batch']
  classes: Int[Array, 'batch k']
  weights: Float[Array, 'batch k']


Labels = Int[Array, ' batch'] | SoftLabels


def labels_of(batch: Mapping) -> Labels:
  """Returns the labels that a batch holds."""
  if 'soft_classes' not in batch:
    return batch['label']
  return SoftLabels(
    batch['label'], batch['soft_classes'], batch['soft_weights']
  )


def hard(labels: Labels) -> Int[Array, ' batch']:
  """Returns one class an example."""
  return labels.hard if isinstance(labels, SoftLabels) else labels


def cross_entropy(
  logits: Float[Array, 'batch classes'],
  labels: Labels,
  label_smoothing: float = 0.0,
) -> Float[Array, ' batch']:
  """Returns the cross-entropy in nats against smoothed one-hot targets.

  Source: Szegedy et al. 2016, section 7: a target of 1 becomes
  1 - label_smoothing + label_smoothing / classes, one of 0 becomes
  label_smoothing / classes (as TF and torch have it). A teacher's
  probabilities are soft already and are not smoothed, as in the code of Xie et
  al. 2020; what they leave of 1 is spread over the classes they leave out.
  """
  log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
  hit = jnp.take_along_axis(log_p, hard(labels)[:, None], axis=-1)[:, 0]
  value = -(1 - label_smoothing) * hit - label_smoothing * log_p.mean(-1)
  if not isinstance(labels, SoftLabels):
    return value
  is_soft = labels.weights.sum(-1) > 0
  return jnp.where(is_soft, _soft_cross_entropy(log_p, labels), value)


def _soft_cross_entropy(
  log_p: Float[Array, 'batch classes'], labels: SoftLabels
) -> Float[Array, ' batch']:
  listed = jnp.take_along_axis(log_p, labels.classes, axis=-1)
  value = -(labels.weights * listed).sum(-1)
  left_out = log_p.shape[-1] - listed.shape[-1]
  if left_out:
    rest = jnp.maximum(1 - labels.weights.sum(-1), 0)
    value -= rest * (log_p.sum(-1) - listed.sum(-1)) / left_out
  return value


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
