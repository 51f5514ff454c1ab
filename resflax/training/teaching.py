"""A trained net that another one learns from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from resflax.training.losses import distillation


class Teacher(NamedTuple):
  """A trained net, and how it teaches.

  Attributes:
    model: a linen module of the same inputs and classes.
    variables: its parameters and statistics.
    temperature: softens its classes.
    weight: of its loss beside that of the labels.
  """

  model: Any
  variables: Mapping
  temperature: float
  weight: float

  def loss(
    self, variables: Mapping, images: jax.Array, logits: jax.Array
  ) -> jax.Array:
    """Returns the distillation loss of each example.

    Args:
      variables: the teacher's, as an argument of the step.
      images: normalised.
      logits: of the student.
    """
    taught = self.model.apply(variables, images, train=False)
    taught = jax.lax.stop_gradient(taught)
    return self.weight * distillation(logits, taught, self.temperature)
