"""Tiny models' weights, as they are here and as others name them."""

import numpy as np
import pytest

from resflax.variants import complete
from resflax.weights.converting import to_theirs
from resflax.weights.tensors import shapes


def tiny(model, **fields):
  """Fields of a model of one block a stage and few features."""
  stages = len(complete(model)['features'])
  small = {'variant': model, 'depths': (1,) * stages, 'width': 0.125}
  return small | fields


def random(fields, num_classes=5, channels=3):
  """Random weights of a model, by our paths."""
  generator = np.random.default_rng(0)
  wanted = shapes(complete(fields), num_classes=num_classes, channels=channels)
  return {
    path: generator.uniform(0.5, 1.5, shape).astype(np.float32)
    for path, shape in wanted.items()
  }


@pytest.fixture
def state_dict():
  """A function that returns random weights, ours and a source's."""

  def make(model, source, **kwargs):
    flat = random(model, **kwargs)
    return flat, to_theirs(flat, complete(model), source)

  return make
