"""What the first bytes of an image say, before anything is decoded.

The format is told by them and not by the name: ImageNet has a PNG called
.JPEG. So are the limits: a file of a few kB can claim gigabytes of pixels.
"""

import io
import re
import struct
from typing import NamedTuple

import simplejpeg
from PIL import (
  BmpImagePlugin,
  GifImagePlugin,
  Image,
  ImageFile,
  JpegImagePlugin,
  WebPImagePlugin,
)

from resflax.errors import DataError

MAX_SIDE = 16_384
MAX_PIXELS = 178_000_000  # what Pillow refuses as a decompression bomb

_SIGNATURES = re.compile(
  rb'(?P<JPEG>\xff\xd8\xff)|(?P<PNG>\x89PNG\r\n\x1a\n)|(?P<GIF>GIF8[79]a)'
  rb'|(?P<BMP>BM)|(?P<WEBP>RIFF....WEBP)',
  re.DOTALL,
)
# How they end: what ends otherwise may be cut off, or have something behind it.
_ENDS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND\xaeB`\x82', 'GIF': b';'}
LONGEST_END = max(map(len, _ENDS.values()))
_PNG_SIZE = struct.Struct('>IIBB')  # width, height, bit depth, colour type
_GREY_PNG_COLOURS = (0, 4)  # grey, grey and alpha (PNG specification, 11.2.2)
# What simplejpeg refuses in the header of an undamaged JPEG. Pillow reads
# these, but would not tell of damage in their entropy data.
_RARE_JPEG = ('subsampling level', 'JFIF revision')
# Not Image.open, which warns of images half as large as we allow.
_PILLOW = {
  'BMP': BmpImagePlugin.BmpImageFile,
  'GIF': GifImagePlugin.GifImageFile,
  'WEBP': WebPImagePlugin.WebPImageFile,
  'JPEG': JpegImagePlugin.JpegImageFile,
  'rare JPEG': JpegImagePlugin.JpegImageFile,
}
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Header(NamedTuple):
  """What `decode` need not find out again."""

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


def ends_well(header: Header, end: bytes) -> bool:
  """Whether the last bytes of an image are those that its format ends with."""
  return end.endswith(_ENDS.get(header.format, b''))


def open_pillow(image: bytes, kind: str) -> ImageFile.ImageFile:
  """Opens an image as `Header.format` says, without Pillow's own guess."""
  return _PILLOW[kind](io.BytesIO(image))


def _format(image: bytes) -> str:
  if match := _SIGNATURES.match(image):
    return match.lastgroup
  raise DataError(
    f'not an image of a known format ({", ".join(_SIGNATURES.groupindex)}): it '
    f'is {len(image)} bytes long and begins with [{image[:8].hex(" ")}]'
  )


def _jpeg_header(image: bytes) -> Header:
  try:
    height, width, colours, _ = simplejpeg.decode_jpeg_header(image)
  except KeyError:  # 4:4:1, which simplejpeg decodes but has no name for
    return _pillow_header(image, 'JPEG')
  except ValueError as error:
    if any(complaint in str(error) for complaint in _RARE_JPEG):
      return _pillow_header(image, 'JPEG')._replace(format='rare JPEG')
    raise DataError(f'JPEG without a readable header: {error}') from error
  return Header('JPEG', height, width, 1 if colours == 'Gray' else 3)


def _png_header(image: bytes) -> Header:
  if len(image) < 33 or image[12:16] != b'IHDR':
    raise DataError('PNG without a readable header: it has no IHDR chunk')
  width, height, _, colour = _PNG_SIZE.unpack_from(image, 16)
  grey = colour in _GREY_PNG_COLOURS
  return Header('PNG', height, width, 1 if grey else 3)


def _pillow_header(image: bytes, kind: str) -> Header:
  try:
    with open_pillow(image, kind) as opened:
      grey = opened.mode in ('1', 'L')
      return Header(kind, opened.height, opened.width, 1 if grey else 3)
  except (OSError, ValueError, SyntaxError, *_BOMB) as error:
    raise DataError(f'{kind} without a readable header: {error}') from error
