"""Batch statistics measured anew, with the weights as they are."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping

import jax
from jaxtyping import PyTree

from resflax.errors import UsageError
from resflax.models import build_model
from resflax.parallel import mesh as meshes
from resflax.runs import Run


def recalibrated(
  run: Run, num_batches: int, *, batch_size: int | None = None
) -> Run:
  """Returns a run with statistics of training images at its resolution.

  For weights or a resolution that the running statistics do not fit: those of
  an average of weights, those of images larger than in training (Touvron et al.
  2019, section 4.3), or those that a momentum of 0 has left of the last batch.
  Images are seen as in evaluation, without dropout and stochastic depth.

  Source: "precise BN" of Wu and Johnson 2021, section 3.2, with the mean of
    variances as in training.

  Args:
    run: is not changed.
    num_batches: to take the mean of, from the training split's beginning.
    batch_size: examples at once; is rounded up to divide over the devices.

  Raises:
    UsageError: the data set is not there, or smaller than so many batches.
    DataError: an example cannot be read.
  """
  sized = run.sized(batch_size or run.setup.resolved['batch_size'])
  split = run.setup.resolved['data.train_split']
  records = run.setup.dataset.split(split)
  size = sized.setup.resolved['batch_size']
  group = run.setup.resolved['model.norm.group_size']
  if group and size % group:
    raise UsageError(
      f"A batch of {size} has no whole groups of {group}, the net's "
      '(config.model.norm.group_size): give a multiple to --batch_size.'
    )
  if 0 < (whole := len(records) // size) < num_batches:
    raise UsageError(
      f'{split} has {whole:,} full batches of {size}, and {num_batches:,} are '
      'asked for: lower the number, or --batch_size.'
    )
  batches = sized.batches_of(records)
  statistics = sized.sharded(_statistics(sized))
  found = mean_statistics(
    lambda batch: statistics(run.variables, {'image': batch['image']}),
    itertools.islice(batches, num_batches),
  )
  variables = {**run.variables, 'batch_stats': found}
  return dataclasses.replace(run, variables=variables)


def mean_statistics(
  statistics: Callable[[dict], PyTree], batches: Iterable[dict]
) -> PyTree:
  """Returns the mean of the statistics of whole batches.

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


def _statistics(run: Run) -> Callable[[Mapping, Mapping], PyTree]:
  """Returns what gives a batch's own statistics, for nothing else is kept."""
  fields = run.setup.resolved.group('model')
  model = build_model(
    {
      **fields,
      'dropout_rate': 0.0,
      'stochastic_depth_rate': 0.0,
      'norm': {**fields['norm'], 'momentum': 0.0},
    },
    num_classes=len(run.class_names),
    dtype=run.setup.resolved['precision'],
  )
  setup = run.setup

  @functools.partial(jax.jit, out_shardings=meshes.replicated(setup.mesh))
  def statistics(variables, batch):
    images = setup.normalise(batch['image'])
    _, updates = model.apply(
      variables, images, train=True, mutable=['batch_stats']
    )
    return updates['batch_stats']

  return statistics
