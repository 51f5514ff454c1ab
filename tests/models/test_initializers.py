"""Kernels have the variance that they should, whatever their size."""

import jax
import numpy as np
import pytest

from resflax.models.initializers import he_normal, normal


@pytest.mark.parametrize('shape', [(3, 3, 64, 256), (1, 1, 256, 64), (64, 32)])
def test_variance_is_two_over_fan_out(shape, key):
  kernel = np.asarray(he_normal(key, shape))
  fan_out = np.prod(shape[:-2], dtype=int) * shape[-1]
  assert kernel.shape == shape
  assert np.std(kernel) == pytest.approx(np.sqrt(2 / fan_out), rel=0.05)
  assert np.mean(kernel) == pytest.approx(
    0, abs=float(3 * np.std(kernel) / np.sqrt(kernel.size))
  )


def test_keys_and_nothing_else_decide(key):
  one, same = normal(0.01)(key, (5, 7)), normal(0.01)(key, (5, 7))
  np.testing.assert_array_equal(one, same)
  assert not np.array_equal(one, normal(0.01)(jax.random.key(1), (5, 7)))
