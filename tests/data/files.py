"""Encoded images in memory, whole and damaged."""

import time

import cv2
import numpy as np
import simplejpeg


class Files:
  """Encoded images; the label is the example's id."""

  def __init__(self, size, kind='.png', broken=(), pause=0.0):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (size, 20, 16, 3), np.uint8)
    self.files = [cv2.imencode(kind, i[..., ::-1])[1].tobytes() for i in images]
    for index in broken:
      self.files[index] = self.files[index][:-30]
    self.pause = pause
    self.reads = 0

  def __len__(self):
    return len(self.files)

  def __getitem__(self, index):
    time.sleep(self.pause)
    self.reads += 1
    return {'image': self.files[index], 'label': index}

  def __repr__(self):
    return 'files'


def position_jpeg():
  """A JPEG whose pixels say where they are: (x, y, 128)."""
  pixels = np.full((256, 256, 3), 128, np.uint8)
  pixels[..., 0] = np.arange(256)[None, :]
  pixels[..., 1] = np.arange(256)[:, None]
  return pixels, simplejpeg.encode_jpeg(pixels, 98, colorsubsampling='444')
