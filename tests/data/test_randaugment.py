"""RandAugment's operations against TensorFlow's, and how they are chosen."""

import collections
import hashlib
import json
import pathlib

import numpy as np
import pytest

from resflax.data import randaugment
from resflax.data.randaugment import NAMES, RandAugment, apply
from resflax.errors import UsageError
from tests.data.randaugment_cases import CASES, DRAW, picture

RECORDED = json.loads(
  pathlib.Path(__file__).with_name('randaugment_tf.json').read_text()
)['digests']


@pytest.mark.parametrize('case', CASES, ids=str)
def test_operations_are_those_of_tensorflow_to_the_grey_level(case):
  """Digests made by record_randaugment.py with TensorFlow's own kernels."""
  name, magnitude, sign, translate, size = case
  draws = (0.25 if sign == 1 else 0.75, *DRAW[1:])
  result = apply(name, picture(size), magnitude, draws, translate)
  assert result.dtype == np.uint8 and result.shape == (size, size, 3)
  key = f'{name} {magnitude} {sign} {translate} {size}'
  assert hashlib.sha256(result.tobytes()).hexdigest() == RECORDED[key]


def test_every_operation_is_recorded_as_a_change_somewhere():
  whole = {
    hashlib.sha256(picture(size).tobytes()).hexdigest() for size in (160, 224)
  }
  changes = {
    key.split()[0] for key, value in RECORDED.items() if value not in whole
  }
  assert changes == set(NAMES) and len(RECORDED) == len(CASES)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('level', [0, 0.05, 10, 30])
def test_grey_and_flat_and_tiny_images_pass(name, level):
  for shape in ((1, 1, 1), (2, 3, 3), (9, 8, 1)):
    for image in (np.full(shape, 7, np.uint8), np.zeros(shape, np.uint8)):
      result = apply(name, image, level, DRAW, 100)
      assert result.shape == shape and result.dtype == np.uint8


def test_the_input_is_left_alone():
  image = picture(160)
  before = image.copy()
  for name in NAMES:
    apply(name, image, 15, DRAW, 100)
  np.testing.assert_array_equal(image, before)


def test_operations_are_chosen_uniformly(monkeypatch):
  chosen = collections.Counter()

  def record(name, image, *rest):
    chosen[name] += 1
    return image

  monkeypatch.setattr(randaugment, 'apply', record)
  rows = np.random.default_rng(0).random((8000, 2 * randaugment.DRAWS))
  augment = RandAugment(layers=2, magnitude=10.0)
  for row in rows.tolist():
    augment(row, np.zeros((1, 1, 3), np.uint8))
  assert sum(chosen.values()) == 16_000 and set(chosen) == set(NAMES)
  # 1,000 each; five standard deviations of a binomial count.
  assert all(abs(count - 1000) < 155 for count in chosen.values())


def test_layers_follow_each_other():
  image = picture(160)
  first, second = [0.55, *DRAW], [0.2, *DRAW]  # Brightness, then Rotate
  draws = [*first[:4], *second[:4]]
  got = RandAugment(layers=2, magnitude=7.0)(draws, image)
  names = [NAMES[int(draws[i] * 16)] for i in (0, 4)]
  assert names == ['Brightness', 'Rotate']
  want = apply('Brightness', image, 7.0, DRAW, 100)
  want = apply('Rotate', want, 7.0, DRAW, 100)
  np.testing.assert_array_equal(got, want)
  assert RandAugment()([], image) is image


@pytest.mark.parametrize(
  ('fields', 'says'),
  [
    ({'source': 'timm'}, "'timm'"),
    ({'layers': -1}, 'layers=-1'),
    ({'magnitude': 31.0}, 'magnitude=31.0'),
  ],
)
def test_values_out_of_range_are_refused(fields, says):
  with pytest.raises(UsageError, match=says):
    RandAugment(**fields)


def test_scaled_is_the_authors_at_224_and_a_share_below():
  """An image of half the size is moved by half as many pixels."""
  rng = np.random.default_rng(0)
  full = RandAugment(layers=1, magnitude=10, source='scaled')
  authors = RandAugment(layers=1, magnitude=10)
  for name in NAMES:
    draws = [(NAMES.index(name) + 0.5) / len(NAMES), 0.2, 0.4, 0.6]
    image = rng.integers(0, 256, (224, 224, 3), np.uint8)
    np.testing.assert_array_equal(full(draws, image), authors(draws, image))
  half = np.zeros((112, 112, 1), np.uint8) + 7
  moved = full([(NAMES.index('TranslateX') + 0.5) / 16, 0.2, 0.0, 0.0], half)
  assert (moved != 7).all(axis=(0, 2)).sum() == 50
  cut = full([(NAMES.index('Cutout') + 0.5) / 16, 0.2, 0.5, 0.5], half)
  assert (cut != 7).sum() == 40 * 40
