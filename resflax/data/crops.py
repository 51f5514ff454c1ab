"""Boxes in the pixels of the source image, and cutting them out.

A crop is chosen before anything is decoded, so that a JPEG can be decoded at a
fraction of its size, and is then resized once, into its row of the batch.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8

ATTEMPTS = (
  10  # of a random resized crop: two draws each, then two for its place
)
PLACE = slice(2 * ATTEMPTS, 2 * ATTEMPTS + 2)

# Shrinking by less is linear alone: what could alias is faint.
_SHARP = 1.1


class Box(NamedTuple):
  """A part of an image in pixels; what lies outside of the image is zero."""

  top: int
  left: int
  height: int
  width: int


def random_resized_box(
  draws: Sequence[float],
  height: int,
  width: int,
  area: tuple[float, float],
  ratio: tuple[float, float],
) -> Box:
  """Inception's crop: a random share of the area at a random aspect ratio.

  Source: Szegedy et al. 2015, section 6. The aspect ratio is uniform in its
  logarithm and the fallback after ten attempts is the largest centred box
  whose ratio is allowed, both as in torchvision's `RandomResizedCrop`; TF's
  `sample_distorted_bounding_box` draws the ratio itself uniformly.
  """
  low, high = math.log(ratio[0]), math.log(ratio[1])
  for i in range(0, 2 * ATTEMPTS, 2):
    target = height * width * (area[0] + (area[1] - area[0]) * draws[i])
    aspect = math.exp(low + (high - low) * draws[i + 1])
    w = round(math.sqrt(target * aspect))
    h = round(math.sqrt(target / aspect))
    if 0 < w <= width and 0 < h <= height:
      down, right = draws[PLACE]
      top, left = int(down * (height - h + 1)), int(right * (width - w + 1))
      return Box(top, left, h, w)
  w = max(1, min(width, round(height * ratio[1])))
  h = max(1, min(height, round(width / ratio[0])))
  return Box((height - h) // 2, (width - w) // 2, h, w)


def shifted_box(
  draws: Sequence[float], height: int, width: int, pad: float
) -> Box:
  """The centre square, moved by up to `pad` of its side each way.

  For a square image this is padding with zeros and cropping the original size.
  It is counted in source pixels, so the same picture comes out, only coarser
  or finer, at each stage of a resolution schedule.

  Source: He et al. 2016, section 4.2 (CIFAR: 4 of 32 pixels on each side).
  """
  top, left, side, _ = center_box(height, width)
  most = round(pad * side)
  down, right = (int(u * (2 * most + 1)) - most for u in draws[PLACE])
  return Box(top + down, left + right, side, side)


def center_box(height: int, width: int, crop: float = 1.0) -> Box:
  """The centred square whose side is `crop` of the shorter side.

  The same field of view as resizing the shorter side to resolution / crop and
  taking the middle (timm's `crop_pct`), with one resize fewer.
  """
  side = max(1, round(crop * min(height, width)))
  return Box((height - side) // 2, (width - side) // 2, side, side)


def shrink_factor(box: Box, resolution: int) -> int:
  """The largest of 1, 2, 4, 8 that leaves the box its resolution."""
  fits = min(box.height, box.width) // resolution
  return 8 if fits >= 8 else 4 if fits >= 4 else 2 if fits >= 2 else 1


def shrink_box(box: Box, factor: int) -> Box:
  """The box in an image that was decoded at 1/factor of its size.

  Rounding moves an edge by at most half a pixel of the smaller image: noise
  within a random crop, but not for evaluation. A JPEG shrinks to its size over
  the factor, rounded up, so the box stays inside.
  """
  top, left = round(box.top / factor), round(box.left / factor)
  bottom = round((box.top + box.height) / factor)
  right = round((box.left + box.width) / factor)
  return Box(top, left, bottom - top, right - left)


def write_crop(
  image: UInt8[np.ndarray, 'height width channels'],
  box: Box,
  flip: bool,
  out: UInt8[np.ndarray, 'resolution resolution channels'],
) -> None:
  """Cuts the box out, resizes it, maybe mirrors it, and writes it to `out`.

  Growing is linear: cubic overshoots at the hard edges of small images, and
  clips there. For shrinking see `resize`.
  """
  crop = _cut(image, box)
  if crop.shape != out.shape:
    crop = resize(crop, out.shape[1], out.shape[0])
  if flip:  # numpy's [:, ::-1] takes ten times as long
    crop = cv2.flip(crop, 1)
  out[...] = crop.reshape(out.shape)


def resize(
  image: UInt8[np.ndarray, 'height width channels'], width: int, height: int
) -> UInt8[np.ndarray, 'new_height new_width ...']:
  """Resizes linearly, after a low pass along the sides that shrink.

  From two thirds to a third of a side this is nearer to an ideal antialiasing
  filter than OpenCV's INTER_AREA, and takes half its time everywhere
  (docs/results/input.md); further down three taps are too few.
  """
  columns, rows = image.shape[1] / width, image.shape[0] / height
  if min(columns, rows) > 3:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
  if max(columns, rows) > _SHARP:
    image = cv2.sepFilter2D(image, -1, _low_pass(columns), _low_pass(rows))
  return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def _low_pass(shrink: float) -> np.ndarray:
  """Three taps that widen a linear filter to one of `shrink` source pixels.

  A triangle that reaches r pixels to each side has the variance r^2 / 6;
  variances add up, and that of the taps (a, 1 - 2 a, a) is 2 a.
  """
  if shrink <= _SHARP:
    return np.ones(1)
  side = min((shrink**2 - 1) / 12, 1 / 3)
  return np.array([side, 1 - 2 * side, side])


def _cut(image: np.ndarray, box: Box) -> np.ndarray:
  """Slices the box, with zeros where it sticks out of the image."""
  top, left, height, width = box
  bottom, right = top + height, left + width
  inside = image[max(top, 0) : bottom, max(left, 0) : right]
  if inside.shape[:2] == (height, width):
    return inside
  return cv2.copyMakeBorder(
    inside,
    max(-top, 0),
    max(bottom - image.shape[0], 0),
    max(-left, 0),
    max(right - image.shape[1], 0),
    cv2.BORDER_CONSTANT,
  ).reshape(height, width, image.shape[2])
