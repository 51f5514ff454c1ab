"""Random erasing, against torchvision's bounds and a loop over pixels."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from resflax.training.erasing import (
  Boxes,
  covered,
  draw_boxes,
  random_erasing,
)

SHAPE = (4000, 40, 30)


def test_boxes_lie_inside_and_within_area_and_ratio():
  boxes = jax.tree.map(np.asarray, draw_boxes(jax.random.key(0), SHAPE, 1.0))
  assert (boxes.height > 0).all()
  assert (boxes.top >= 0).all() and (boxes.left >= 0).all()
  assert (boxes.top + boxes.height <= 40).all()
  assert (boxes.left + boxes.width <= 30).all()
  area = boxes.height * boxes.width / 1200
  ratio = boxes.height / boxes.width
  # Sides are rounded to pixels.
  assert 0.012 < area.min() < 0.03 and 0.3 < area.max() < 0.36
  assert 0.2 < ratio.min() < 0.4 and 2.7 < ratio.max() < 4.5
  # Every place that a box fits to can be its place.
  assert boxes.top.min() == boxes.left.min() == 0
  assert (boxes.top + boxes.height).max() == 40
  assert (boxes.left + boxes.width).max() == 30
  assert 0.16 < area.mean() < 0.18  # that of (0.02, 0.33), rounded: 0.175


def drawn_in_a_loop(count, height, width):
  """Sides of boxes by torchvision's `RandomErasing.get_params`, in NumPy."""
  generator = np.random.default_rng(0)
  for _ in range(count):
    for _ in range(10):
      area = height * width * generator.uniform(0.02, 0.33)
      ratio = np.exp(generator.uniform(np.log(0.3), np.log(3.3)))
      h, w = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
      if h < height and w < width:
        yield h, w
        break


def test_boxes_are_distributed_as_torchvisions():
  boxes = draw_boxes(jax.random.key(2), SHAPE, 1.0)
  count, height, width = SHAPE
  theirs = np.array(list(drawn_in_a_loop(count, height, width)))
  for ours, side in zip((boxes.height, boxes.width), theirs.T, strict=True):
    assert stats.ks_2samp(ours, side).pvalue > 0.1
    assert abs(ours.min() - side.min()) <= 1
    assert abs(ours.max() - side.max()) <= 1


def test_some_images_are_erased_and_others_not_touched():
  boxes = draw_boxes(jax.random.key(1), SHAPE, 0.25)
  assert 0.22 < float((boxes.height > 0).mean()) < 0.28
  images = jnp.ones((*SHAPE, 1))
  erased = np.asarray(random_erasing(jax.random.key(1), images, 0.25))
  holes = (erased == 0).sum((1, 2, 3))
  np.testing.assert_array_equal(holes, np.asarray(boxes.height * boxes.width))


def test_a_box_covers_its_pixels_and_no_others():
  boxes = Boxes(*jnp.array([[1, 0], [2, 0], [2, 0], [3, 4]]))
  expected = np.zeros((2, 5, 6, 1), bool)
  expected[0, 1:3, 2:5] = True  # the second one has a height of 0
  np.testing.assert_array_equal(covered(boxes, (5, 6)), expected)


def test_images_too_narrow_for_any_box_are_left():
  images = jnp.ones((16, 1, 1, 3))
  erased = random_erasing(jax.random.key(0), images, 1.0)
  np.testing.assert_array_equal(erased, images)
