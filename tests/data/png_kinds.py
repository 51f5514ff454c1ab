"""PNGs that are odd or bad, written chunk by chunk.

Source: Portable Network Graphics (PNG) Specification, third edition, W3C.
"""

import struct
import zlib

import cv2
import numpy as np
from PIL import Image

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

SIGNATURE = b'\x89PNG\r\n\x1a\n'
GREY_COLOUR, RGB, PALETTE = 0, 2, 3
_ADAM7 = (  # of each pass: first row, first column, steps down and across
  (0, 0, 8, 8),
  (0, 4, 8, 8),
  (4, 0, 8, 4),
  (0, 2, 4, 4),
  (2, 0, 4, 2),
  (0, 1, 2, 2),
  (1, 0, 2, 1),
)


def chunk(kind, body=b''):
  checksum = struct.pack('>I', zlib.crc32(kind + body))
  return struct.pack('>I', len(body)) + kind + body + checksum


def rows(pixels):
  """Rows without a filter."""
  return b''.join(b'\0' + row.tobytes() for row in pixels)


def header(height=HEIGHT, width=WIDTH, depth=8, colour=RGB, interlaced=0):
  size = struct.pack('>IIBB', width, height, depth, colour)
  return chunk(b'IHDR', size + bytes([0, 0, interlaced]))


def png(head=None, extra=b'', data=None):
  """A PNG of the picture; `data` is what stands for its compressed rows."""
  data = zlib.compress(rows(PICTURE)) if data is None else data
  return (
    SIGNATURE + (head or header()) + extra + chunk(b'IDAT', data) + END_CHUNK
  )


def interlaced():
  passes = [PICTURE[y::down, x::across] for y, x, down, across in _ADAM7]
  data = zlib.compress(b''.join(rows(part) for part in passes))
  return png(header(interlaced=1), data=data)


def indices(extra):
  """The picture's first channel, read as indices of a palette."""
  data = zlib.compress(rows(GREY))
  return png(header(colour=PALETTE), extra=extra, data=data)


def two_bits():
  bits = np.unpackbits((GREY >> 6)[..., None], axis=2)[..., 6:]
  packed = np.packbits(bits.reshape(HEIGHT, -1), axis=1)
  head = header(depth=2, colour=GREY_COLOUR)
  return png(head, data=zlib.compress(rows(packed)))


def sixteen(pixels):
  """16 bits, of which the lower 8 say 77."""
  deep = pixels.astype(np.uint16) << 8 | 77
  return cv2.imencode('.png', deep)[1].tobytes()


def bomb(side):
  """A true PNG of one bit a pixel, all black."""
  head = header(side, side, depth=1, colour=GREY_COLOUR)
  return png(head, data=zlib.compress(bytes(side * (side // 8 + 1)), 1))


END_CHUNK = chunk(b'IEND')

KINDS = {
  'PNG': png,
  'PNG, grey': lambda: encode(GREY, 'PNG'),
  'PNG, 16384x1': lambda: encode(np.tile(GREY[:1], 365)[:, :16384], 'PNG'),
  'PNG, 1 bit': lambda: save(Image.fromarray(MARKS).convert('1'), 'PNG'),
  'PNG, 2 bits': two_bits,
  'PNG, 16 bits': lambda: sixteen(PICTURE[..., ::-1]),
  'PNG, 16 bits, grey': lambda: sixteen(GREY),
  'PNG, alpha': lambda: encode(np.dstack([PICTURE, ALPHA]), 'PNG'),
  'PNG, 16 bits, alpha': lambda: sixteen(
    np.dstack([PICTURE[..., ::-1], ALPHA])
  ),
  'PNG, grey and alpha': lambda: encode(np.dstack([GREY, ALPHA]), 'PNG'),
  'PNG, palette': lambda: save(palette(), 'PNG'),
  'PNG, palette and transparency': lambda: save(
    palette(), 'PNG', transparency=3
  ),
  'PNG, a transparent colour': lambda: png(
    extra=chunk(b'tRNS', struct.pack('>HHH', *PICTURE[3, 3]))
  ),
  'PNG, interlaced': interlaced,
  'PNG, states its gamma': lambda: png(
    extra=chunk(b'gAMA', struct.pack('>I', 45455))
  ),
  'PNG, EXIF says turn it': lambda: encode(PICTURE, 'PNG', exif=TURNED),
  'PNG, two frames (APNG)': lambda: encode_moving('PNG'),
  'PNG, APNG with another first picture': lambda: encode_moving(
    'PNG', default_image=True
  ),
  'PNG, garbage behind the end': lambda: png() + b'garbage' * 100,
  'PNG, lower than its data': lambda: png(header(height=HEIGHT - 9)),
  'PNG, index beyond its palette': lambda: indices(
    chunk(b'PLTE', bytes(range(30)))
  ),
  'PNG, bad checksum': lambda: flip(png(), -13, 1),
  'PNG, one flipped bit': lambda: flip(png(), 300, 1),
  'PNG, other size in its header': lambda: patch(png(), 19, b'\x20'),
  'PNG, taller than its data': lambda: png(header(height=HEIGHT + 9)),
  'PNG, data ends early': lambda: png(data=zlib.compress(rows(PICTURE)[:2000])),
  'PNG, bytes missing within its data': lambda: png(
    data=zlib.compress(rows(PICTURE))[:-200]
  ),
  'PNG, data does not decompress': lambda: png(data=b'junk' * 50),
  'PNG, unknown filter': lambda: png(
    data=zlib.compress(b'\x09' + rows(PICTURE)[1:])
  ),
  'PNG, unknown critical chunk': lambda: png(extra=chunk(b'ABCD')),
  'PNG, unknown colour type': lambda: png(header(colour=5)),
  'PNG, without palette': lambda: indices(b''),
  'PNG, without data': lambda: SIGNATURE + header() + END_CHUNK,
  'PNG, without end chunk': lambda: png()[:-12],
  'PNG, cut in half': lambda: png()[: len(png()) // 2],
  'PNG, cut behind its header': lambda: png()[:33],
  'PNG, cut in its header': lambda: png()[:20],
  'PNG, first chunk is another': lambda: SIGNATURE + chunk(b'IDAT') + png()[8:],
  'PNG, 16385x1': lambda: png(header(1, 16385)),
  'PNG, says 60000x60000': lambda: png(header(60000, 60000)),
  'PNG, says 16000x16000': lambda: png(header(16000, 16000)),
  'PNG, 20000x20000 of one colour': lambda: bomb(20000),
  'PNG, height 0': lambda: png(header(height=0)),
  'PNG, width 0': lambda: png(header(width=0)),
}
