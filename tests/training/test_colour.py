"""Colours: torchvision's arithmetic, and how far chance may go."""

import jax
import jax.numpy as jnp
import numpy as np

from resflax.training.colour import (
  adjust_colors,
  color_jitter,
  lighting_shift,
  pca_lighting,
)

FACTORS = np.array(
  [[0.6, 1.4, 1.0], [1.4, 0.6, 1.3], [0.9, 1.1, 0.0], [1.0, 1.0, 1.0]],
  np.float32,
)
IMAGES = np.round(np.random.default_rng(0).random((4, 3, 2, 3)), 3)
IMAGES = IMAGES.astype(np.float32)
# The first rows of what torchvision 0.29.1 makes of IMAGES by
# adjust_saturation(adjust_contrast(adjust_brightness(...))) with FACTORS.
TORCHVISION = [
  [[0.40107, 0.09279, 0.0], [0.0, 0.54891, 0.63291]],
  [[0.52473, 0.65905, 0.22771], [0.29133, 0.88865, 0.86245]],
  [[0.71575, 0.71575, 0.71575], [0.42459, 0.42459, 0.42459]],
  [[0.336, 0.15, 0.45], [0.796, 0.231, 0.052]],
]


def test_factors_do_what_they_do_in_torchvision():
  adjusted = adjust_colors(jnp.asarray(IMAGES), *jnp.asarray(FACTORS.T))
  np.testing.assert_allclose(adjusted[:, 0], TORCHVISION, atol=2e-5)


def test_each_image_has_factors_of_its_own_within_the_strength():
  images = jnp.full((64, 2, 2, 3), 0.5)  # brightness is all that shows
  jittered = np.asarray(color_jitter(jax.random.key(0), images, 0.4))
  levels = jittered[:, 0, 0, 0] / 0.5
  assert levels.min() >= 0.6 and levels.max() <= 1.4
  assert len(np.unique(levels)) == 64
  assert levels.min() < 0.65 and levels.max() > 1.35


def test_grey_images_stay_of_one_channel():
  images = jnp.asarray(IMAGES[..., :1])
  adjusted = adjust_colors(images, *jnp.asarray(FACTORS.T))
  assert adjusted.shape == images.shape
  # Without colours, saturation does nothing.
  np.testing.assert_allclose(adjusted[3], images[3], rtol=1e-6)


def test_lighting_is_along_the_components():
  # fb.resnet.torch's loop: rgb += eigvec * alpha * eigval, over components.
  shift = lighting_shift(jnp.array([[0.1, 0.0, 0.0], [0.0, -0.2, 0.3]]))
  np.testing.assert_allclose(
    shift[0], 0.1 * 0.2175 * np.array([-0.5675, -0.5808, -0.5836]), rtol=1e-5
  )
  second = -0.2 * 0.0188 * np.array([0.7192, -0.0045, -0.6948])
  third = 0.3 * 0.0045 * np.array([0.4009, -0.8140, 0.4203])
  np.testing.assert_allclose(shift[1], second + third, rtol=1e-5)


def test_lighting_adds_one_colour_to_all_of_an_image():
  images = jnp.asarray(IMAGES)
  added = np.asarray(pca_lighting(jax.random.key(0), images, 0.1)) - IMAGES
  np.testing.assert_allclose(added, added[:, :1, :1] + 0 * added, atol=1e-6)
  many = jnp.zeros((4000, 1, 1, 3))
  shifts = np.asarray(pca_lighting(jax.random.key(0), many, 0.1))[:, 0, 0]
  # Its variance is 0.01 * V diag(eigenvalues ** 2) V'.
  values = np.array([0.2175, 0.0188, 0.0045])
  vectors = np.asarray(lighting_shift(jnp.eye(3))).T / values
  expected = 0.01 * vectors @ np.diag(values**2) @ vectors.T
  np.testing.assert_allclose(np.cov(shifts.T), expected, rtol=0.15, atol=1e-6)
