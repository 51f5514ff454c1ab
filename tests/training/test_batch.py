"""From uint8 to the model's input, on the device."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.training.batch import Distort, Normalise

HALF = Normalise((0.5,) * 3, (0.25,) * 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8)
LABELS = jnp.arange(8)


def test_normalise_is_the_formula_per_channel():
  images = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), np.uint8)
  mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
  expected = (images / 255 - np.array(mean)) / np.array(std)
  actual = Normalise(mean, std)(jnp.asarray(images))
  np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_bfloat16_is_rounded_once_at_the_end():
  images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
  wide = Normalise((0.5,), (0.25,))(jnp.asarray(images))
  narrow = Normalise((0.5,), (0.25,), 'bfloat16')(jnp.asarray(images))
  assert narrow.dtype == jnp.bfloat16
  np.testing.assert_array_equal(narrow, wide.astype(jnp.bfloat16))


def distorted(seed=0, **fields):
  key = jax.random.key(seed)
  images = jnp.asarray(IMAGES)
  return jax.jit(Distort(HALF, **fields))(key, images, LABELS)


def test_a_batch_that_nothing_changes_is_normalised():
  images, targets = distorted()
  np.testing.assert_allclose(images, HALF(jnp.asarray(IMAGES)), atol=1e-6)
  np.testing.assert_array_equal(targets.labels, LABELS)
  assert targets.others is None


@pytest.mark.parametrize(
  'field', ['color_jitter', 'lighting', 'erasing', 'mixup', 'cutmix']
)
def test_each_change_can_be_had_alone_and_follows_the_key(field):
  plain, _ = distorted()
  once, _ = distorted(2, **{field: 0.9})
  again, _ = distorted(2, **{field: 0.9})
  other, _ = distorted(3, **{field: 0.9})
  assert once.shape == plain.shape
  np.testing.assert_array_equal(once, again)
  assert not np.array_equal(once, plain)
  assert not np.array_equal(once, other)


def test_the_type_is_that_of_the_model_whatever_is_on():
  half = Normalise((0.5,) * 3, (0.25,) * 3, 'bfloat16')
  distort = Distort(
    half, color_jitter=0.4, lighting=0.1, erasing=1.0, mixup=0.2
  )
  images, _ = distort(jax.random.key(0), jnp.asarray(IMAGES), LABELS)
  assert images.dtype == jnp.bfloat16
