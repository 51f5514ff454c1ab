"""Encoded bytes to uint8 pixels, strictly: a damaged file is an error.

The format is told by its first bytes, not by its name: ImageNet has a PNG
called .JPEG. Decoders differ by up to 5/255 on a good file, so `DECODER` goes
into a run's `environment.json`.

JPEG goes to simplejpeg (libjpeg-turbo, strict: truncation is an error, where
`tf.io.decode_and_crop_jpeg` is silent), PNG to OpenCV (39 us for 32x32, where
Pillow takes 61), the rest to Pillow. An EXIF orientation is not applied, as in
TensorFlow, Pillow and simplejpeg: training sets were labelled without it.
"""

import io
import struct
import zlib
from typing import NamedTuple

import cv2
import numpy as np
import PIL
import simplejpeg
from jaxtyping import UInt8
from PIL import Image

from resflax.errors import DataError

DECODER = (
  f'simplejpeg {simplejpeg.__version__}, OpenCV {cv2.__version__}, '
  f'Pillow {PIL.__version__}'
)

MAX_SIDE = 16_384
MAX_PIXELS = 178_000_000  # what Pillow refuses as a decompression bomb

# Batches are made by several threads, each with its own image.
cv2.setNumThreads(1)

_PNG = b'\x89PNG\r\n\x1a\n'
_SIGNATURES = {
  b'\xff\xd8\xff': 'JPEG',
  _PNG: 'PNG',
  b'GIF87a': 'GIF',
  b'GIF89a': 'GIF',
  b'BM': 'BMP',
  b'RIFF': 'WEBP',
}
_PNG_SIZE = struct.Struct('>IIBB')  # width, height, bit depth, colour type
_GREY_PILLOW_MODES = ('1', 'L', 'LA', 'I;16')
_GREY_PNG_COLOURS = (0, 4)  # grey, grey and alpha (PNG specification, 11.2.2)


class Header(NamedTuple):
  """What the first bytes say of an image, before anything is decoded."""

  format: str
  height: int
  width: int
  channels: int


def read_header(image: bytes) -> Header:
  """Reads format and size, and refuses what would not fit into memory.

  Raises:
    DataError: not an image we read, or a side or area beyond the limits.
  """
  kind = _format(image)
  if kind == 'JPEG':
    header = _jpeg_header(image)
  elif kind == 'PNG':
    header = _png_header(image)
  else:
    header = _pillow_header(image, kind)
  _, height, width, _ = header
  if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
    raise DataError(f'{kind} of {width}x{height}: sides are 1 to {MAX_SIDE}')
  if height * width > MAX_PIXELS:
    raise DataError(f'{kind} of {width}x{height}: over {MAX_PIXELS:,} pixels')
  return header


def decode(
  image: bytes,
  channels: int,
  shrink: int = 1,
  header: Header | None = None,
) -> UInt8[np.ndarray, 'height width channels']:
  """Decodes an image to grey or RGB.

  Transparency is dropped, palettes are looked up, 16 bits become the upper 8.

  Args:
    image: the encoded file.
    channels: 1 or 3.
    shrink: 1, 2, 4 or 8: a JPEG may come out at this fraction of its size,
      which its DCT gives for less than the full decode. Other factors have no
      fast kernel, and other formats come out whole: look at the shape.
    header: what `read_header` said, where it was asked already.

  Raises:
    DataError: what is wrong with the bytes.
  """
  header = header or read_header(image)
  try:
    if header.format == 'JPEG':
      return _decode_jpeg(image, header, channels, shrink)
    if header.format == 'PNG':
      return _decode_png(image, channels)
    return _decode_pillow(image, channels)
  except (ValueError, OSError, cv2.error) as error:
    raise DataError(f'{header.format} is damaged: {error}') from error


def to_channels(
  image: UInt8[np.ndarray, 'height width given'], channels: int
) -> UInt8[np.ndarray, 'height width channels']:
  """Makes pixels that need no decoding grey or RGB."""
  if image.shape[2] == channels:
    return image
  if (image.shape[2], channels) == (1, 3):
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
  if (image.shape[2], channels) == (3, 1):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
  raise DataError(
    f'an image of {image.shape[2]} channels cannot become one of {channels}'
  )


def _format(image: bytes) -> str:
  for signature, name in _SIGNATURES.items():
    if image.startswith(signature):
      return name
  allowed = ', '.join(dict.fromkeys(_SIGNATURES.values()))
  start = image[:8].hex(' ')
  raise DataError(
    f'not an image of a known format ({allowed}): it is {len(image)} bytes '
    f'long and begins with [{start}]'
  )


def _jpeg_header(image: bytes) -> Header:
  try:
    height, width, colours, _ = simplejpeg.decode_jpeg_header(image)
  except ValueError:
    # A chroma subsampling that simplejpeg does not know, or real damage.
    # Pillow tells them apart.
    return _pillow_header(image, 'JPEG')._replace(format='rare JPEG')
  return Header('JPEG', height, width, 1 if colours == 'Gray' else 3)


def _png_header(image: bytes) -> Header:
  if len(image) < 33 or image[12:16] != b'IHDR':
    raise DataError('PNG without a header')
  width, height, _, colour = _PNG_SIZE.unpack_from(image, 16)
  grey = colour in _GREY_PNG_COLOURS
  return Header('PNG', height, width, 1 if grey else 3)


def _pillow_header(image: bytes, kind: str) -> Header:
  try:
    with Image.open(io.BytesIO(image), formats=(kind,)) as opened:
      grey = opened.mode in _GREY_PILLOW_MODES
      return Header(kind, opened.height, opened.width, 1 if grey else 3)
  except (OSError, ValueError, Image.DecompressionBombError) as error:
    raise DataError(f'{kind} without a readable header') from error


def _decode_jpeg(
  image: bytes, header: Header, channels: int, shrink: int
) -> np.ndarray:
  colours = 'RGB' if channels == 3 else 'GRAY'
  if shrink == 1:
    return simplejpeg.decode_jpeg(image, colours)
  return simplejpeg.decode_jpeg(
    image,
    colours,
    min_height=-(-header.height // shrink),
    min_width=-(-header.width // shrink),
  )


def _decode_png(image: bytes, channels: int) -> np.ndarray:
  _check_png(image)
  colours = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
  pixels = cv2.imdecode(
    np.frombuffer(image, np.uint8), colours | cv2.IMREAD_IGNORE_ORIENTATION
  )
  if pixels is None:
    raise ValueError('OpenCV cannot decode it')
  return pixels.reshape(*pixels.shape[:2], channels)


def _check_png(image: bytes) -> None:
  """Checks each chunk's CRC (3 us for 2 kB): OpenCV does not say the cause."""
  start = len(_PNG)
  while start + 12 <= len(image):
    end = start + 8 + int.from_bytes(image[start : start + 4], 'big')
    kind = image[start + 4 : start + 8]
    if end + 4 > len(image):
      break
    checksum = int.from_bytes(image[end : end + 4], 'big')
    if zlib.crc32(image[start + 4 : end]) != checksum:
      raise ValueError(f'its {kind!r} chunk fails its checksum')
    if kind == b'IEND':
      return
    start = end + 4
  raise ValueError(f'it is truncated after {len(image)} bytes')


def _decode_pillow(image: bytes, channels: int) -> np.ndarray:
  with Image.open(io.BytesIO(image)) as opened:
    converted = opened.convert('RGB' if channels == 3 else 'L')
    return np.asarray(converted).reshape(*converted.size[::-1], channels)
