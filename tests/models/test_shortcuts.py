"""The shortcuts' pooling and padding against NumPy."""

import jax
import numpy as np
import pytest

from resflax.models.shortcuts import SHORTCUTS
from resflax.slots import BlockShape

STRIDED = BlockShape(2, 8, 8, stride=2, natural_stride=2)
WIDER = BlockShape(2, 8, 8)  # as in stage 1 of a bottleneck net
DILATED = BlockShape(2, 8, 8, natural_stride=2, dilation=2)


def average(x, stride):
  """Averages 2x2 windows; those at the border hold fewer pixels."""
  rows, cols = range(0, x.shape[1], stride), range(0, x.shape[2], stride)
  return np.stack(
    [
      np.stack([x[:, r : r + 2, c : c + 2].mean((1, 2)) for c in cols], axis=1)
      for r in rows
    ],
    axis=1,
  )


@pytest.mark.parametrize(
  ('name', 'shape', 'window'),
  [
    ('projection', STRIDED, None),
    ('projection', WIDER, None),
    ('avg_pool', STRIDED, 2),
    ('avg_pool', WIDER, None),
    ('avg_pool', DILATED, 1),
    ('avg_pool_garden', STRIDED, 2),
    ('avg_pool_garden', WIDER, 1),
  ],
)
@pytest.mark.parametrize('size', [6, 7])
def test_projections(name, shape, window, size, key):
  x = jax.random.normal(key, (2, size, size, 2))
  shortcut = SHORTCUTS[name](shape)
  y, variables = shortcut.init_with_output(key, x, train=False)
  x = np.asarray(x, np.float64)
  if shape is DILATED:  # zeros are counted as pixels
    x = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
  seen = (
    average(x, window) if window else x[:, :: shape.stride, :: shape.stride]
  )[:, : y.shape[1], : y.shape[2]]
  kernel = np.asarray(variables['params']['conv']['kernel'])[0, 0]
  np.testing.assert_allclose(y, seen @ kernel / np.sqrt(1 + 1e-5), atol=1e-5)


def test_zero_pad_puts_the_new_features_on_both_sides(key):
  x = jax.random.normal(key, (2, 7, 6, 2))
  y, variables = SHORTCUTS['zero_pad'](STRIDED).init_with_output(
    key, x, train=False
  )
  assert not variables
  assert y.shape == (2, 4, 3, 8)
  np.testing.assert_array_equal(y[..., 3:5], x[:, ::2, ::2])
  assert not np.asarray(y)[..., :3].any()
  assert not np.asarray(y)[..., 5:].any()


@pytest.mark.parametrize('name', [n for n in SHORTCUTS if n != 'none'])
def test_identity_where_nothing_changes(name, key):
  x = jax.random.normal(key, (2, 5, 5, 4))
  y, variables = SHORTCUTS[name](BlockShape(4, 4, 4)).init_with_output(
    key, x, train=True
  )
  assert not variables
  np.testing.assert_array_equal(y, x)


def test_none_adds_nothing(key):
  x = jax.random.normal(key, (2, 5, 5, 2))
  y, variables = SHORTCUTS['none'](STRIDED).init_with_output(key, x, train=True)
  assert not variables
  assert y == 0
