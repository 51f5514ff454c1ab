"""Small data sets for the tests, made on the spot."""

import cv2
import numpy as np
import pytest
from absl import flags


@pytest.fixture(scope='session', autouse=True)
def parsed_flags():
  """Grain's worker processes are started with this process's flags."""
  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()


@pytest.fixture
def write_image():
  """A function that writes an image file of one colour."""

  def write(path, colour=(10, 120, 200), size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    pixels = np.full((height, width, len(colour)), colour, np.uint8)
    assert cv2.imwrite(str(path), pixels[..., ::-1])

  return write
