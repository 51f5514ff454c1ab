"""Boxes: their distribution, and the pixels that come out of them."""

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from resflax.data import crops
from resflax.data.crops import Box, write_crop


def draws(count):
  width = 2 * crops.ATTEMPTS + 2
  return np.random.default_rng(0).random((count, width)).tolist()


def cut(image, box, flip=False, resolution=None):
  side = resolution or box.height
  out = np.full((side, side, image.shape[2]), 77, np.uint8)
  write_crop(image, box, flip, out)
  return out


def pillow(image, side):
  resized = Image.fromarray(image.squeeze()).resize(
    (side, side), Image.Resampling.BILINEAR
  )
  return np.asarray(resized)


def distance(image, other):
  return np.sqrt(np.mean((image.astype(float) - other) ** 2))


@pytest.fixture
def image():
  return np.random.default_rng(0).integers(1, 256, (12, 12, 3), np.uint8)


def test_random_resized_crop_has_inceptions_distribution():
  height, width, area, ratio = 300, 400, (0.08, 1.0), (3 / 4, 4 / 3)
  boxes = [
    crops.random_resized_box(row, height, width, area, ratio)
    for row in draws(4000)
  ]
  tops, lefts, heights, widths = np.array(boxes).T
  assert tops.min() >= 0 and (tops + heights).max() <= height
  assert lefts.min() >= 0 and (lefts + widths).max() <= width
  shares = heights * widths / (height * width)
  assert shares.min() > 0.079 and shares.max() <= 1
  # Oracle: the uniform distribution, less what sticks out of the image.
  share, log_ratio = np.random.default_rng(1).random((2, 200_000))
  share, log_ratio = 0.08 + 0.92 * share, np.log(4 / 3) * (2 * log_ratio - 1)
  target = share * height * width
  fits = (np.sqrt(target * np.exp(log_ratio)) <= width) & (
    np.sqrt(target * np.exp(-log_ratio)) <= height
  )
  assert shares.mean() == pytest.approx(share[fits].mean(), abs=0.012)
  ratios = widths / heights
  assert ratios.min() > 0.74 and ratios.max() < 1.35
  assert np.log(ratios).mean() == pytest.approx(
    log_ratio[fits].mean(), abs=0.01
  )


def test_random_resized_crop_falls_back_to_the_largest_allowed_box():
  row = draws(1)[0]
  # a strip of 10 x 400 cannot hold any box of at least half its area
  assert crops.random_resized_box(
    row, 10, 400, (0.5, 1.0), (3 / 4, 4 / 3)
  ) == Box(0, 193, 10, 13)
  assert crops.random_resized_box(
    row, 400, 10, (0.5, 1.0), (3 / 4, 4 / 3)
  ) == Box(193, 0, 13, 10)
  assert crops.random_resized_box(
    row, 1, 1, (0.08, 1.0), (3 / 4, 4 / 3)
  ) == Box(0, 0, 1, 1)


def test_shifted_box_is_padding_and_cropping():
  boxes = [crops.shifted_box(row, 32, 32, 0.125) for row in draws(3000)]
  tops, lefts, heights, widths = np.array(boxes).T
  assert set(heights) == set(widths) == {32}
  counts = np.bincount(tops + 4, minlength=9)
  assert len(counts) == 9  # He et al.: 4 pixels on each side
  assert counts.min() > 250 and counts.max() < 420  # 333 each
  assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.06


def test_center_box_is_centred_on_the_short_side():
  assert crops.center_box(100, 200) == Box(0, 50, 100, 100)
  assert crops.center_box(256, 256, 0.875) == Box(16, 16, 224, 224)
  assert crops.center_box(1, 1, 0.1) == Box(0, 0, 1, 1)


def test_a_box_beyond_the_image_is_padded_with_zeros(image):
  padded = np.pad(image, ((3, 3), (3, 3), (0, 0)))
  for top, left in [(-3, -3), (-3, 2), (0, 0), (3, 1), (2, 3)]:
    want = padded[top + 3 : top + 15, left + 3 : left + 15]
    got = cut(image, Box(top, left, 12, 12))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize('channels', [1, 3])
def test_flip_mirrors_left_and_right(image, channels):
  image = np.ascontiguousarray(image[..., :channels])
  box = Box(2, 1, 8, 8)
  np.testing.assert_array_equal(cut(image, box, flip=True), image[2:10, 8:0:-1])
  big = cut(image, box, resolution=16)
  np.testing.assert_array_equal(
    cut(image, box, flip=True, resolution=16), big[:, ::-1]
  )


def test_growing_interpolates(image):
  double = cut(image, Box(0, 0, 12, 12), resolution=24)
  want = cv2.resize(image, (24, 24), interpolation=cv2.INTER_LINEAR)
  np.testing.assert_array_equal(double, want)


@pytest.mark.parametrize('shrink', [1.2, 1.3, 1.5, 1.9, 2, 2.2, 2.7, 3.5])
def test_shrinking_is_as_pillow_does_it(shrink):
  """Pillow filters with an exact triangle, OpenCV's areas are further off."""
  photo = load_sample_images().images[0]
  side = round(64 * shrink)
  ours, areas = [], []
  for top in range(0, photo.shape[0] - side, 40):
    crop = photo[top : top + side, top : top + side]
    want = pillow(crop, 64)
    box = Box(top, top, side, side)
    ours.append(distance(cut(photo, box, resolution=64), want))
    area = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
    areas.append(distance(area, want))
  if shrink > 3:
    assert ours == areas
  else:
    grey_level = 1 if shrink < 1.5 else 0
    assert np.mean(ours) < np.mean(areas) + grey_level


def test_one_side_may_shrink_where_the_other_grows():
  photo = load_sample_images().images[0]
  crop = photo[10:58, 20:140]
  got = cut(photo, Box(10, 20, 48, 120), resolution=64)
  assert distance(got, pillow(crop, 64)) < 1.5


def test_stripes_become_grey_and_not_wider_stripes():
  stripes = np.zeros((96, 96, 1), np.uint8)
  stripes[:, ::2] = 255
  for side in (52, 48, 40, 34):
    small = cut(stripes, Box(0, 0, 96, 96), resolution=side)
    linear = cv2.resize(stripes, (side, side), interpolation=cv2.INTER_LINEAR)
    if side != 48:  # linear at exactly a half is a mean of two
      assert linear.std() > 2 * small.std()


def test_the_pad_crop_is_the_same_picture_at_another_resolution():
  """Progressive resizing changes the scale, not what is seen."""
  smooth = np.zeros((32, 32, 1), np.uint8)
  cv2.circle(smooth, (16, 16), 9, 255, -1)
  for row in draws(5):
    box = crops.shifted_box(row, 32, 32, 0.125)
    small = cut(smooth, box, resolution=16).astype(float)
    large = cut(smooth, box, resolution=32)
    assert np.abs(small - pillow(large, 16)[..., None]).max() < 16


@pytest.mark.parametrize('resolution', [16, 33, 224])
def test_shrink_leaves_at_least_the_resolution(resolution):
  for side in (10, 33, 64, 300, 1000, 4000):
    shrink = crops.shrink_factor(Box(0, 0, side, 2 * side), resolution)
    assert shrink == 1 or side / shrink >= resolution
    assert shrink == 8 or side / (2 * shrink) < resolution


@pytest.mark.parametrize('factor', [2, 4, 8])
@pytest.mark.parametrize(('height', 'width'), [(17, 64), (101, 200), (99, 31)])
def test_a_shrunk_box_stays_inside(height, width, factor):
  """A box that stuck out would get a black edge."""
  bounds = -(-height // factor), -(-width // factor)
  for row in draws(500):
    box = crops.random_resized_box(
      row, height, width, (0.3, 1.0), (3 / 4, 4 / 3)
    )
    small = crops.shrink_box(box, factor)
    assert small.top + small.height <= bounds[0]
    assert small.left + small.width <= bounds[1]
    assert min(small) >= 0 and small.height > 0 and small.width > 0
