"""What RandAugment is compared on: operations, strengths and a picture."""

import numpy as np
from sklearn.datasets import load_sample_images

from resflax.data.randaugment import NAMES, TRANSLATE

MOVING = ('Rotate', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY')
DRAW = (0.25, 0.31, 0.83)  # the sign, and a place

# Name, magnitude, sign, pixels of translate at level 10, side of the picture.
CASES = [
  (name, magnitude, sign, translate, size)
  for name in NAMES
  for magnitude in (3, 10, 15)
  for sign in ((1, -1) if name in MOVING else (1,))
  for translate in (TRANSLATE.values() if 'Translate' in name else (100,))
  for size in (160, 224)
]


def picture(size: int) -> np.ndarray:
  """A part of a real photograph."""
  photo = load_sample_images().images[1]
  return np.ascontiguousarray(photo[30 : 30 + size, 200 : 200 + size])
