"""Photos to measure with: a folder's, or views of scikit-learn's two."""

import os
from collections.abc import Iterator

import cv2
import numpy as np
import simplejpeg
from sklearn.datasets import load_sample_images

from resflax.data.resizing import write_copy
from resflax.data.writing import Encoded, Images, write
from resflax.errors import UsageError

NAME = 'photos'
WIDTH, HEIGHT = 500, 375  # ImageNet's most frequent size
QUALITY = 96
COUNT = 256
COPY = 320  # longest side of the smaller copy


def prepare(folder: str | None, data_dir: str) -> list[bytes]:
  """Writes the TFDS set `photos` and its copy; returns the photos.

  Args:
    folder: of JPEG files, the first 4,096 by path; None makes views of
      scikit-learn's photos, about 86 kB each.
    data_dir: where the set is written.

  Raises:
    UsageError: the folder has no JPEG file.
  """
  photos = _from_folder(folder) if folder else list(_views())
  write(
    Images(
      name=NAME,
      version='1.0.0',
      description='Photos for a benchmark.',
      origin={},
      class_names=['photo'],
      channels=3,
      splits={'train': lambda: (Encoded(photo, 0, '') for photo in photos)},
      data_dir=data_dir,
    )
  )
  write_copy(NAME, COPY, quality=95, data_dir=data_dir)
  return photos


def _from_folder(folder: str) -> list[bytes]:
  if not os.path.isdir(folder):
    raise UsageError(f'No folder {folder!r} (--folder).')
  paths = [
    os.path.join(root, name)
    for root, _, names in os.walk(folder)
    for name in names
    if name.lower().endswith(('.jpg', '.jpeg'))
  ]
  if not paths:
    raise UsageError(f'{folder!r} holds no .jpg file (--folder).')
  return [_read(path) for path in sorted(paths)[: 16 * COUNT]]


def _read(path: str) -> bytes:
  with open(path, 'rb') as file:
    return file.read()


def _views() -> Iterator[bytes]:
  """Yields parts of two real photos, so that their statistics are a photo's."""
  photos = load_sample_images().images
  random = np.random.Generator(np.random.Philox(0))
  for index in range(COUNT):
    photo = photos[index % len(photos)]
    height = int(photo.shape[0] * random.uniform(0.7, 1.0))
    width = height * WIDTH // HEIGHT
    top = random.integers(photo.shape[0] - height + 1)
    left = random.integers(photo.shape[1] - width + 1)
    view = cv2.resize(
      photo[top : top + height, left : left + width],
      (WIDTH, HEIGHT),
      interpolation=cv2.INTER_CUBIC,
    )
    yield simplejpeg.encode_jpeg(view, QUALITY, colorsubsampling='420')
