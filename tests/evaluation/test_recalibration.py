"""Statistics measured anew."""

import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.evaluation.recalibration import recalibrate

BATCHES = [
  {'image': np.float32([n, n + 1]), 'mask': np.array([True, n < 2])}
  for n in range(3)
]


def statistics(batch):
  return {'norm': {'mean': batch['image'].mean(), 'var': batch['image'].var()}}


def test_the_mean_over_full_batches():
  found = recalibrate(statistics, BATCHES)
  assert found == {'norm': {'mean': 1.0, 'var': 0.25}}


def test_without_a_full_batch_there_is_nothing_to_measure():
  with pytest.raises(UsageError, match='lower --batch_size'):
    recalibrate(statistics, BATCHES[2:])
