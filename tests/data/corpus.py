"""Files that are odd or bad, by kind: what docs/data.md's table is of."""

import functools
import struct

import numpy as np
from PIL import Image

from tests.data import jpeg_kinds, png_kinds
from tests.data.pictures import (
  ALPHA,
  GREY,
  HEIGHT,
  MARKS,
  PICTURE,
  TURNED,
  WIDTH,
  encode,
  encode_moving,
  flip,
  palette,
  patch,
  save,
)

bmp = functools.partial(encode, PICTURE, 'BMP')
gif = functools.partial(encode, GREY, 'GIF')
webp = functools.partial(encode, PICTURE, 'WEBP', quality=95)
lossless = functools.partial(encode, PICTURE, 'WEBP', lossless=True, exact=True)


def bmp_sized(width=WIDTH, height=HEIGHT):
  return patch(bmp(), 18, struct.pack('<ii', width, height))


def top_down():
  """Rows from the top, as a negative height says (the default is upwards)."""
  file = bmp_sized(height=-HEIGHT)
  rows = np.frombuffer(file[54:], np.uint8).reshape(HEIGHT, -1)
  return file[:54] + rows[::-1].tobytes()


def run_length():
  """RLE8: a count and an index, 0 0 ends a row and 0 1 the picture."""
  rows = [b''.join(bytes([1, index]) for index in row) for row in GREY[::-1]]
  head = bmp_palette()[: 54 + 4 * 256]
  return patch(head, 30, b'\1') + b'\0\0'.join(rows) + b'\0\1'


def bmp_palette():
  return save(Image.fromarray(GREY).convert('P'), 'BMP')


def frame_start(file):
  """Where the descriptor of a GIF's first image is."""
  return file.index(struct.pack('<BHHHH', 0x2C, 0, 0, WIDTH, HEIGHT))


def gif_sized(width, height):
  return patch(gif(), 6, struct.pack('<HH', width, height))


def gif_frame(width, height):
  start = frame_start(gif()) + 5
  return patch(gif(), start, struct.pack('<HH', width, height))


def gif_block_missing():
  """Leaves the first block of 255 bytes of LZW codes out."""
  start = frame_start(gif()) + 11
  return gif()[:start] + gif()[start + 256 :]


def gif_flipped():
  """A bit of the first pixel's index, which follows a code of 9 bits."""
  return flip(gif(), frame_start(gif()) + 12 + 1, 1 << (15 - 8))


def riff_size(file, size):
  return patch(file, 4, struct.pack('<I', size))


def box(brand):
  """The begin of an ISO base media file: HEIC, AVIF."""
  return struct.pack('>I', 24) + b'ftyp' + brand + bytes(8) + bytes(1000)


LFS_POINTER = b"""version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""

CORPUS = {
  **jpeg_kinds.KINDS,
  **png_kinds.KINDS,
  'BMP': bmp,
  'BMP, 1 bit': lambda: save(Image.fromarray(MARKS).convert('1'), 'BMP'),
  'BMP, palette': lambda: save(palette(), 'BMP'),
  'BMP, alpha': lambda: encode(np.dstack([PICTURE, ALPHA]), 'BMP'),
  'BMP, run lengths': run_length,
  'BMP, negative height': top_down,
  'BMP, other file size in its header': lambda: patch(bmp(), 2, bytes(4)),
  'BMP, padding of the last row missing': lambda: bmp()[:-1],
  'BMP, lower than its data': lambda: bmp_sized(height=HEIGHT - 9),
  'BMP, narrower than its data': lambda: bmp_sized(width=WIDTH - 9),
  'BMP, pixels start too early': lambda: patch(bmp(), 10, b'\x0c'),
  'BMP, one flipped bit': lambda: flip(bmp(), 1000, 128),
  'BMP, taller than its data': lambda: bmp_sized(height=HEIGHT + 9),
  'BMP, says 10000x9000': lambda: bmp_sized(10000, 9000),
  'BMP, cut in half': lambda: bmp()[: len(bmp()) // 2],
  'BMP, run lengths, cut': lambda: run_length()[:-200],
  'BMP, cut in its header': lambda: bmp()[:30],
  'BMP, pixels of 7 bits': lambda: patch(bmp(), 28, b'\7'),
  'BMP, says 60000x60000': lambda: bmp_sized(60000, 60000),
  'BMP, negative width': lambda: bmp_sized(width=-WIDTH),
  'BMP, height 0': lambda: bmp_sized(height=0),
  'BMP, width 0': lambda: bmp_sized(width=0),
  'text that begins with BM': lambda: b'BMW is a maker of cars.' * 10,
  'GIF': gif,
  'GIF, palette': lambda: save(palette(), 'GIF'),
  'GIF, not interlaced': lambda: gif(interlace=0),
  'GIF, transparency': lambda: save(palette(), 'GIF', transparency=3),
  'GIF, smaller than its canvas': lambda: gif_sized(WIDTH + 3, HEIGHT + 2),
  'GIF, two frames': lambda: encode_moving('GIF'),
  'GIF, garbage behind the end': lambda: gif() + b'garbage' * 100,
  'GIF, one flipped bit': gif_flipped,
  'GIF, cut in half': lambda: gif()[: len(gif()) // 2],
  'GIF, cut before its trailer': lambda: gif()[:-1],
  'GIF, cut in its second frame': lambda: encode_moving('GIF')[:-100],
  'GIF, cut but closed': lambda: gif()[:-200] + b'\0;',
  'GIF, block missing': gif_block_missing,
  'GIF, frame taller than its data': lambda: gif_frame(WIDTH, HEIGHT + 9),
  'GIF, unknown block': lambda: gif()[:-1] + b'x;',
  'GIF, without a frame': lambda: gif()[: frame_start(gif())] + b';',
  'GIF, says 60000x60000': lambda: gif_sized(60000, 60000),
  'GIF, frame says 60000x60000': lambda: gif_frame(60000, 60000),
  'WebP': webp,
  'WebP, lossless': lossless,
  'WebP, lossless, alpha': lambda: encode(
    np.dstack([PICTURE, ALPHA]), 'WEBP', lossless=True, exact=True
  ),
  'WebP, alpha': lambda: encode(
    np.dstack([PICTURE, ALPHA]), 'WEBP', quality=95, exact=True
  ),
  'WebP, two frames': lambda: encode_moving('WEBP', lossless=True),
  'WebP, EXIF says turn it': lambda: lossless(exif=TURNED),
  'WebP, garbage behind the end': lambda: lossless() + b'garbage' * 100,
  'WebP, one flipped bit': lambda: flip(webp(), -60, 1),
  'WebP, cut in half': lambda: webp()[: len(webp()) // 2],
  'WebP, lossless, cut by two bytes': lambda: lossless()[:-2],
  'WebP, two frames, cut in the second': lambda: encode_moving(
    'WEBP', lossless=True
  )[:-20],
  'WebP, larger size in its header': lambda: riff_size(webp(), 20000),
  'WebP, smaller size in its header': lambda: riff_size(webp(), 20),
  'WebP, cut in its header': lambda: webp()[:18],
  'no bytes': lambda: b'',
  '1,000 bytes of zero': lambda: bytes(1000),
  'JPEG behind other bytes': lambda: b'\r\n' + jpeg_kinds.jpeg(),
  'WAV': lambda: riff_size(b'RIFF0000WAVEfmt ' + bytes(50), 58),
  'TIFF': lambda: encode(PICTURE, 'TIFF'),
  'HEIC': lambda: box(b'heic'),
  'AVIF': lambda: box(b'avif'),
  'JPEG XL': lambda: b'\xff\x0a' + bytes(1000),
  'JPEG 2000': lambda: b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(1000),
  'ICO': lambda: encode(PICTURE, 'ICO', sizes=[(32, 32)]),
  'SVG': lambda: b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  'HTML error page': lambda: b'<!DOCTYPE html><title>404 Not Found</title>',
  'Git LFS pointer': lambda: LFS_POINTER,
}
