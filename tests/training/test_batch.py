"""Normalising on the device."""

import jax.numpy as jnp
import numpy as np

from resflax.training.batch import normalise


def test_normalise_is_the_formula_per_channel():
  images = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), np.uint8)
  mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
  expected = (images / 255 - np.array(mean)) / np.array(std)
  actual = normalise(jnp.asarray(images), mean, std)
  np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_bfloat16_is_rounded_once_at_the_end():
  images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
  wide = normalise(jnp.asarray(images), (0.5,), (0.25,))
  narrow = normalise(jnp.asarray(images), (0.5,), (0.25,), 'bfloat16')
  assert narrow.dtype == jnp.bfloat16
  np.testing.assert_array_equal(narrow, wide.astype(jnp.bfloat16))
