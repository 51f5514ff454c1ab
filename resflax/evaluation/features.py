"""Frozen features: what a net gives to its classifier."""

import jax
import numpy as np

from resflax.data.records import Records
from resflax.errors import NotFiniteError, UsageError
from resflax.evaluation.classifiers import Features
from resflax.runs import Run


def extract(run: Run, records: Records) -> Features:
  """Returns the pooled features of every example, exactly once, in order.

  At the run's test resolution and crop, without augmentation, by its average of
  weights where it keeps one, over all devices of the process. They take
  `num_bytes` of memory.

  Args:
    run: whose model has the endpoint `pooled`, as all of `build_model`.
    records: of the run's channels; labels may be those of other classes.

  Raises:
    UsageError: the model has no such endpoint, or an example no label.
    DataError: an example cannot be read.
    NotFiniteError: the net gives something else than numbers.
  """
  values = np.empty((len(records), width(run)), np.float32)
  labels = np.empty(len(records), np.int32)
  done = 0
  for rows, batch in run.outputs(_pooled(run), records):
    part = slice(done, done + len(rows))
    values[part], labels[part] = rows, batch['label'][batch['mask']]
    if not np.isfinite(rows).all():
      raise NotFiniteError(
        f'Features of images {done:,} to {done + len(rows):,} of {records!r} '
        'are not finite: the net is not fit for use.'
      )
    done += len(rows)
  if labels.min() < 0:
    raise UsageError(
      f'An example of {records!r} has no label: give a split that has.'
    )
  return Features(values, labels)


def width(run: Run) -> int:
  """Returns how many features an image has.

  Raises:
    UsageError: the model has no endpoint `pooled`.
  """
  if not hasattr(run.model, 'features'):
    raise UsageError(
      f'{type(run.model).__name__} has no method `features`, of which a probe '
      'takes `pooled`: give a model of resflax.'
    )
  size, channels = run.preprocessing.resolution, run.preprocessing.channels
  image = jax.ShapeDtypeStruct((1, size, size, channels), np.uint8)
  return jax.eval_shape(_pooled(run), run.variables, image).shape[-1]


def num_bytes(run: Run, examples: int) -> int:
  """Returns the memory that features of so many examples take."""
  return examples * width(run) * np.dtype(np.float32).itemsize


def _pooled(run: Run):
  def pooled(variables, images):
    images = run.setup.normalise(images)
    return run.model.apply(variables, images, train=False, method='features')[
      'pooled'
    ]

  return pooled
