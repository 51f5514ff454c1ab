"""Batch statistics measured anew, with the weights as they are."""

from collections.abc import Callable, Iterable

import jax
from jaxtyping import PyTree

from resflax.errors import UsageError


def recalibrate(
  statistics: Callable[[dict], PyTree], batches: Iterable[dict]
) -> PyTree:
  """Returns the mean of the statistics of whole batches.

  For weights or a resolution that the running statistics do not fit: those of
  an average of weights, those of images larger than in training (Touvron et al.
  2019, section 4.3), or those that a momentum of 0 has left of the last batch.

  Source: "precise BN" of Wu and Johnson 2021, section 3.2, with the mean of
    variances as in training.

  Args:
    statistics: of a batch, in the tree of `batch_stats`.
    batches: with the mask of evaluation; those that are not full are left out.

  Raises:
    UsageError: there is no full batch.
  """
  found = [statistics(batch) for batch in batches if batch['mask'].all()]
  if not found:
    raise UsageError(
      'There are fewer images than in one batch: lower --batch_size.'
    )
  return jax.tree.map(lambda *leaves: sum(leaves) / len(leaves), *found)
