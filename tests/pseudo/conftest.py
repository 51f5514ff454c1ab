"""A folder of grey images, from black to white."""

import cv2
import numpy as np
import pytest

COUNT = 22


@pytest.fixture
def folder(tmp_path):
  """Image i is of the brightness i of 21, in folders that are no classes."""
  for i in range(COUNT):
    path = tmp_path / 'images' / ('deep/er' if i % 2 else '') / f'{i}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((8, 8), round(255 * i / (COUNT - 1)), np.uint8)
    assert cv2.imwrite(str(path), pixels)
  return tmp_path / 'images'
