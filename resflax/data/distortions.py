"""Distortions of uint8 images, as RandAugment's reference code has them.

Source: github.com/tensorflow/tpu, models/official/efficientnet/
  autoaugment.py, to the grey level (tests/data/test_randaugment.py). Its
  quirks are kept: levels above 1 go past the scale (`solarize` does nothing
  from 1 on), and `contrast` blends with the number of pixels over 256 and not
  with the mean.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import UInt8

Image = UInt8[np.ndarray, 'height width channels']

GREY = 128  # what is moved in from outside

_LEVELS = np.arange(256, dtype=np.float32)
_LUMA = np.array([0.2989, 0.587, 0.114], np.float32)  # TensorFlow's weights
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def autocontrast(image: Image, level: int | float) -> Image:
  """Stretches each channel to the whole range."""
  del level

  def table_of(channel):
    low, high = np.float32(channel.min()), np.float32(channel.max())
    if high <= low:
      return _LEVELS
    scale = np.float32(255) / (high - low)
    return np.clip(_LEVELS * scale - low * scale, 0, 255)

  return _each_channel(image, table_of)


def equalize(image: Image, level: int | float) -> Image:
  """Makes the levels of each channel equally frequent."""
  del level

  def table_of(channel):
    counts = np.bincount(channel.ravel(), minlength=256)
    step = (counts.sum() - counts[counts > 0][-1]) // 255
    if not step:
      return _LEVELS
    table = (np.cumsum(counts) + step // 2) // step
    return np.clip(np.concatenate([[0], table[:-1]]), 0, 255)

  return _each_channel(image, table_of)


def invert(image: Image, level: int | float) -> Image:
  """Turns light to dark."""
  del level
  return 255 - image


def posterize(image: Image, level: int | float) -> Image:
  """Keeps the upper bits: four at level 1."""
  shift = max(0, 8 - int(level * 4))
  return image >> shift << shift if shift < 8 else np.zeros_like(image)


def solarize(image: Image, level: int | float) -> Image:
  """Inverts what is brighter than a limit: 256 at level 1."""
  bright = int(level * 256) <= _LEVELS
  return _look_up(image, np.where(bright, 255 - _LEVELS, _LEVELS))


def solarize_add(image: Image, level: int | float) -> Image:
  """Lightens the darker half: by 110 at level 1."""
  added = np.clip(_LEVELS + int(level * 110), 0, 255)
  return _look_up(image, np.where(_LEVELS < 128, added, _LEVELS))


def brightness(image: Image, level: int | float) -> Image:
  """Goes from black to the image and past it."""
  return _look_up(image, _blend(0, _LEVELS, _enhancement(level)))


def contrast(image: Image, level: int | float) -> Image:
  """Goes from a grey to the image and past it."""
  # The reference takes the mean over the histogram's bins, not the pixels.
  grey = min(image.shape[0] * image.shape[1] // 256, 255)
  return _look_up(image, _blend(grey, _LEVELS, _enhancement(level)))


def color(image: Image, level: int | float) -> Image:
  """Goes from grey levels to colours and past them."""
  if image.shape[2] == 1:
    return image
  unit = image.astype(np.float32) * np.float32(1 / 255)
  grey = ((unit @ _LUMA) * np.float32(255.5)).astype(np.uint8)
  return _blend(grey[..., None], image, _enhancement(level))


def sharpness(image: Image, level: int | float) -> Image:
  """Goes from a smooth image to the image and past it."""
  smooth = cv2.filter2D(image.astype(np.float32), -1, _SMOOTH)
  smooth = smooth.reshape(image.shape).astype(np.uint8)
  border = image.copy()
  border[1:-1, 1:-1] = smooth[1:-1, 1:-1]
  return _blend(border, image, _enhancement(level))


def cutout(image: Image, reach: int, down: float, right: float) -> Image:
  """Greys a square around a place."""
  row, column = int(down * image.shape[0]), int(right * image.shape[1])
  cut = image.copy()
  rows = slice(max(0, row - reach), row + reach)
  cut[rows, max(0, column - reach) : column + reach] = GREY
  return cut


def rotation(
  image: Image, level: int | float, translate: int | float
) -> np.ndarray:
  """Returns the matrix of 30 degrees at level 1 about the centre."""
  del translate
  angle = math.radians(level * 30)
  height, width = image.shape[0] - 1, image.shape[1] - 1
  cos, sin = math.cos(angle), math.sin(angle)
  return np.array(
    [
      [cos, -sin, (width - (cos * width - sin * height)) / 2],
      [sin, cos, (height - (sin * width + cos * height)) / 2],
    ]
  )


def transformed(image: Image, matrix: np.ndarray) -> Image:
  """Moves pixels: output (x, y) is the nearest to input `matrix (x, y, 1)`.

  Rounds halves away from zero, as TensorFlow's kernel; OpenCV's own affine
  transform rounds in fixed point.
  """
  height, width = image.shape[:2]
  matrix = matrix.astype(np.float32)
  across = np.arange(width, dtype=np.float32)[None, :]
  down = np.arange(height, dtype=np.float32)[:, None]
  columns, rows = (_rounded(a * across + b * down + c) for a, b, c in matrix)
  moved = cv2.remap(
    image,
    columns,
    rows,
    cv2.INTER_NEAREST,
    borderMode=cv2.BORDER_CONSTANT,
    borderValue=(GREY,) * 3,
  )
  return moved.reshape(image.shape)


def _blend(degenerate, image, factor: int | float):
  """Goes from the degenerate image towards the image, or past it."""
  first = np.asarray(degenerate, np.float32)
  mixed = np.asarray(image, np.float32) - first
  mixed *= np.float32(factor)
  mixed += first
  return np.clip(mixed, 0, 255, out=mixed).astype(np.uint8)


def _enhancement(level: int | float) -> float:
  return level * 1.8 + 0.1


def _look_up(image: np.ndarray, table: np.ndarray) -> np.ndarray:
  return cv2.LUT(image, table.astype(np.uint8)).reshape(image.shape)


def _each_channel(image: Image, table_of: Callable) -> Image:
  channels = [
    _look_up(channel, table_of(channel)) for channel in cv2.split(image)
  ]
  return cv2.merge(channels).reshape(image.shape)


def _rounded(x: np.ndarray) -> np.ndarray:
  return np.trunc(x + np.copysign(np.float32(0.5), x))
