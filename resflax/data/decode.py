"""Encoded bytes to uint8 pixels, strictly: a damaged file is an error.

Decoders differ by up to 5/255 on a good file, so `DECODER` goes into a run's
`environment.json`. What each kind of odd or bad file gets is the table of
docs/data.md, Bad files.

JPEG goes to simplejpeg (libjpeg-turbo, strict: what it only warns of is an
error, where `tf.io.decode_and_crop_jpeg` is silent), PNG to OpenCV (39 us for
32x32, where Pillow takes 61), the rest to Pillow. An EXIF orientation is not
applied, as in TensorFlow, Pillow and simplejpeg: training sets were labelled
without it.
"""

import zlib

import cv2
import numpy as np
import PIL
import simplejpeg
from jaxtyping import UInt8

from resflax.data.headers import Header, open_pillow, read_header
from resflax.errors import DataError

DECODER = (
  f'simplejpeg {simplejpeg.__version__}, OpenCV {cv2.__version__}, '
  f'Pillow {PIL.__version__}'
)

_DCT_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_BEFORE_FRAMES = {0xC4, 0xCC, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE}

# Batches are made by several threads, each with its own image.
cv2.setNumThreads(1)


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
      pixels = _decode_jpeg(image, header, channels, shrink)
    elif header.format == 'PNG':
      pixels = _decode_png(image, header)
    else:
      pixels = _decode_pillow(image, header, channels)
  except (ValueError, OSError, SyntaxError, EOFError, cv2.error) as error:
    raise DataError(f'{header.format} is damaged: {error}') from error
  return to_channels(pixels, channels)


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


def _decode_jpeg(
  image: bytes, header: Header, channels: int, shrink: int
) -> np.ndarray:
  # libjpeg-turbo makes RGB of every grey JPEG but a lossless one
  colours = 'RGB' if channels == header.channels == 3 else 'GRAY'
  if shrink == 1 or not _has_dct(image):
    return simplejpeg.decode_jpeg(image, colours)
  return simplejpeg.decode_jpeg(
    image,
    colours,
    min_height=-(-header.height // shrink),
    min_width=-(-header.width // shrink),
  )


def _has_dct(image: bytes) -> bool:
  """Whether a JPEG can come out at a fraction (1 us): a lossless one cannot.

  libjpeg-turbo before 3.1.4, which simplejpeg has, would write all of its
  pixels into the smaller buffer and crash. In doubt the answer is no.

  Source: ITU-T T.81, table B.1; libjpeg-turbo's ChangeLog, 3.1.4.
  """
  start = 2
  while image[start : start + 1] == b'\xff' and start + 4 <= len(image):
    marker = image[start + 1]
    if marker in _DCT_FRAMES:
      return True
    if marker not in _BEFORE_FRAMES:
      return False
    start += 2 + int.from_bytes(image[start + 2 : start + 4], 'big')
  return False


def _decode_png(image: bytes, header: Header) -> np.ndarray:
  _check_png(image)
  # Never colours to grey: libpng would do that in linear light where the file
  # states its gamma, and elsewhere not.
  colours = (
    cv2.IMREAD_GRAYSCALE if header.channels == 1 else cv2.IMREAD_COLOR_RGB
  )
  pixels = cv2.imdecode(
    np.frombuffer(image, np.uint8), colours | cv2.IMREAD_IGNORE_ORIENTATION
  )
  if pixels is None:
    raise ValueError('OpenCV cannot decode it')
  return pixels.reshape(header[1:])


def _check_png(image: bytes) -> None:
  """Checks each chunk's CRC (3 us for 2 kB): OpenCV does not say the cause."""
  start = 8  # behind the signature
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


def _decode_pillow(image: bytes, header: Header, channels: int) -> np.ndarray:
  if header.format == 'GIF':
    _check_gif(image)
  with open_pillow(image, header.format) as opened:
    converted = opened.convert('RGB' if channels == 3 else 'L')
    return np.asarray(converted).reshape(header.height, header.width, channels)


def _check_gif(image: bytes) -> None:
  """Walks the blocks to the trailer: Pillow stops after the first frame.

  Source: GIF89a specification, 17 to 27 and appendix A.
  """
  try:
    start = 13 + _colour_table(image[10])
    while image[start] != 0x3B:  # the trailer
      if image[start] == 0x2C:  # an image: descriptor, colours, code size
        start += 11 + _colour_table(image[start + 9])
      elif image[start] == 0x21:  # an extension and its label
        start += 2
      else:
        raise ValueError(f'it has no block at byte {start}')
      while image[start]:
        start += 1 + image[start]
      start += 1
  except IndexError:
    raise ValueError(f'it is truncated after {len(image)} bytes') from None


def _colour_table(flags: int) -> int:
  return 3 << (flags & 7) + 1 if flags & 0x80 else 0
