"""One picture, with sides that fill no block, and ways to write it."""

import io

import numpy as np
from PIL import Image

_Y, _X = np.mgrid[:37, :45]
PICTURE = np.stack([4 * _X + 20, 5 * _Y + 30, 220 - 2 * _X - _Y], axis=2)
PICTURE = PICTURE.astype(np.uint8)
GREY = PICTURE[..., 0]
HEIGHT, WIDTH = GREY.shape
ALPHA = PICTURE[..., 1]
INK = np.concatenate([255 - PICTURE, ALPHA[..., None] // 4], axis=2)  # CMYK
MARKS = np.where(_X // 8 % 2 == _Y // 8 % 2, 255, 0).astype(np.uint8)  # 1 bit
OTHER = 255 - PICTURE  # the second frame of what moves
TURNED = Image.Exif()
TURNED[0x0112] = 6  # shown turned by 90 degrees


def encode(pixels, kind, **options):
  return save(Image.fromarray(pixels), kind, **options)


def save(image, kind, **options):
  file = io.BytesIO()
  image.save(file, kind, **options)
  return file.getvalue()


def encode_moving(kind, **options):
  frames = [Image.fromarray(OTHER)]
  return encode(PICTURE, kind, save_all=True, append_images=frames, **options)


def palette():
  """The picture in 16 colours, as an image of mode P."""
  return Image.fromarray(PICTURE).quantize(16)


def patch(image, start, new):
  return image[:start] + new + image[start + len(new) :]


def flip(image, start, mask):
  return patch(image, start, bytes([image[start] ^ mask]))
