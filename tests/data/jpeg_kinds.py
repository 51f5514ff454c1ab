"""JPEGs that are odd or bad, made of good ones by moving their segments."""

import struct

import cv2
import numpy as np
from PIL import Image

from tests.data.pictures import (
  GREY,
  INK,
  PICTURE,
  TURNED,
  encode,
  encode_moving,
  flip,
  patch,
  save,
)

SOF, DHT, EOI, SOS, DQT = 0xC0, 0xC4, 0xD9, 0xDA, 0xDB
END = b'\xff\xd9'
RAMP = (8 * np.add.outer(np.arange(16), np.arange(16))).astype(np.uint8)
# RAMP's entropy data at quality 90 by libjpeg-turbo 2.1 with `arith_code`,
# which no encoder that the tests could call offers.
_ARITHMETIC = bytes.fromhex(
  'ff00dc1bd84e849676c7c0a4fe68b3854c7903e4f559bb7298c0'
)


def split(image):
  """[(marker, body), ...] up to the first scan's, and the rest, without EOI."""
  segments, start = [], 2
  while not segments or segments[-1][0] != SOS:
    end = start + 2 + int.from_bytes(image[start + 2 : start + 4], 'big')
    segments.append((image[start + 1], image[start + 4 : end]))
    start = end
  return segments, image[start:-2]


def segment(marker, body):
  return struct.pack('>BBH', 0xFF, marker, len(body) + 2) + body


def join(segments, rest):
  return b'\xff\xd8' + b''.join(segment(*each) for each in segments) + rest


def jpeg(**options):
  return encode(PICTURE, 'JPEG', quality=95, **options)


def grey():
  return encode(GREY, 'JPEG', quality=95)


def subsampled(name):
  factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{name}')
  options = [cv2.IMWRITE_JPEG_QUALITY, 95]
  options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
  return cv2.imencode('.jpg', PICTURE[..., ::-1], options)[1].tobytes()


def scan(plane, component):
  """A component's tables and scan, taken from a grey JPEG of it."""
  segments, data = split(encode(plane, 'JPEG', quality=95))
  tables = b''.join(segment(*each) for each in segments if each[0] == DHT)
  head = bytes([1, component, 0, 0, 63, 0])
  return tables + segment(SOS, head) + data


def scans(y=(1, 1), others=(1, 1), leave_out=0):
  """Each component in a scan of its own, by sampling factors across, down."""
  planes = cv2.split(np.asarray(Image.fromarray(PICTURE).convert('YCbCr')))
  height, width = GREY.shape
  head, rest = struct.pack('>BHHB', 8, height, width, 3), b''
  for component, factors in enumerate((y, others, others), start=1):
    across, down = factors
    size = (-(-width * across // y[0]), -(-height * down // y[1]))
    plane = cv2.resize(
      planes[component - 1], size, interpolation=cv2.INTER_AREA
    )
    head += bytes([component, across << 4 | down, 0])
    rest += scan(plane, component) if component != leave_out else b''
  quantisation = dict(split(grey())[0])[DQT]
  return join([(DQT, quantisation), (SOF, head)], rest + END)


def frame(image, marker=SOF, start=0, new=b''):
  """Another marker for the frame's header, or other bytes in it."""
  segments, rest = split(image)
  changed = [
    (marker, patch(body, start, new)) if old == SOF else (old, body)
    for old, body in segments
  ]
  return join(changed, rest + END)


def sized(height, width):
  return frame(jpeg(), start=1, new=struct.pack('>HH', height, width))


def drop(image, marker):
  segments, rest = split(image)
  return join([each for each in segments if each[0] != marker], rest + END)


def cmyk(transform=0):
  """Adobe's inverted CMYK; YCCK where the marker says transform 2."""
  ink = INK
  if transform == 2:
    colours = Image.fromarray(INK[..., :3]).convert('YCbCr')
    ink = np.dstack([255 - np.asarray(colours), INK[..., 3]])
  file = save(Image.fromarray(ink, mode='CMYK'), 'JPEG', quality=95)
  return patch(file, file.index(b'Adobe') + 11, bytes([transform]))


def arithmetic():
  file = drop(frame(encode(RAMP, 'JPEG', quality=90), 0xC9), DHT)
  return join(split(file)[0], _ARITHMETIC + END)


def lossless(pixels):
  """Process 14: differences to the left neighbour, in codes of 5 bits.

  Source: ITU-T T.81, annex H.
  """
  left = np.c_[np.r_[128, pixels[:-1, 0]], pixels[:, :-1]].astype(int)
  bits = ''
  for difference in (pixels - left).flat:
    size = int(abs(difference)).bit_length()
    low = difference if difference > 0 else difference + (1 << size) - 1
    bits += f'{size:05b}' + (f'{low:0{size}b}' if size else '')
  bits += '1' * (-len(bits) % 8)
  data = int(bits, 2).to_bytes(len(bits) // 8, 'big')
  head = [
    (0xC3, struct.pack('>BHHB', 8, *pixels.shape, 1) + bytes([1, 0x11, 0])),
    (DHT, bytes([0, *[0, 0, 0, 0, 9], *[0] * 11, *range(9)])),
    (SOS, bytes([1, 1, 0, 1, 0, 0])),
  ]
  return join(head, data.replace(b'\xff', b'\xff\0') + END)


def insert(image, mark, junk):
  """Bytes before the last place that `mark` is at."""
  start = image.rindex(mark)
  return image[:start] + junk + image[start:]


def cut_out(image, start, size):
  """Leaves bytes of the entropy data out, counted from its begin."""
  segments, rest = split(image)
  return join(segments, rest[:start] + rest[start + size :] + END)


def first_scan(image):
  """The first of several scans: of a progressive JPEG the blocks' means."""
  segments, rest = split(image)
  return join(segments, rest[: rest.index(b'\xff\xc4')] + END)


def flipped():
  """The sign of the first block's mean: no code changes its length."""
  segments, rest = split(grey())
  return join(segments, flip(rest, 0, 1) + END)


KINDS = {
  'JPEG': jpeg,
  'JPEG, grey': grey,
  'JPEG, 1x1': lambda: encode(PICTURE[:1, :1], 'JPEG', quality=95),
  'JPEG, progressive': lambda: jpeg(progressive=True),
  'JPEG, 4:2:2': lambda: subsampled('422'),
  'JPEG, 4:4:0': lambda: subsampled('440'),
  'JPEG, 4:1:1': lambda: subsampled('411'),
  'JPEG, 4:4:1': lambda: scans(y=(1, 4)),
  'JPEG, 4:1:0': lambda: scans(y=(4, 2)),
  'JPEG, a scan for each component': scans,
  'JPEG, RGB inside': lambda: jpeg(keep_rgb=True),
  'JPEG, CMYK': cmyk,
  'JPEG, CMYK without its Adobe marker': lambda: drop(cmyk(), 0xEE),
  'JPEG, YCCK': lambda: cmyk(transform=2),
  'JPEG, EXIF says turn it': lambda: jpeg(exif=TURNED),
  'JPEG, damaged EXIF': lambda: jpeg(exif=b'Exif\0\0MM\0*junk'),
  'JPEG, restart markers': lambda: jpeg(restart_marker_blocks=1),
  'JPEG, arithmetic coding': arithmetic,
  'JPEG, lossless, grey': lambda: lossless(GREY),
  'JPEG, MPO of two frames': lambda: encode_moving('MPO', quality=95),
  'JPEG, garbage behind the end': lambda: jpeg() + b'garbage' * 100,
  'JPEG, fill bytes before a marker': lambda: insert(
    jpeg(), b'\xff\xc0', b'\xff' * 5
  ),
  'JPEG, JFIF 2.0': lambda: patch(jpeg(), 11, b'\2\0'),
  'JPEG, one stray byte before the end': lambda: insert(jpeg(), END, b'x'),
  'JPEG, one flipped bit': flipped,
  'JPEG, scan of a component missing': lambda: scans(leave_out=3),
  'JPEG, progressive, first scan only': lambda: first_scan(
    jpeg(progressive=True)
  ),
  'JPEG, 4:1:0, cut but closed': lambda: scans(y=(4, 2))[:-60] + END,
  'JPEG, lossless, colour': lambda: frame(jpeg(), 0xC3),
  'JPEG, 12 bits': lambda: frame(jpeg(), start=0, new=b'\x0c'),
  'JPEG, hierarchical': lambda: frame(jpeg(), 0xC5),
  'JPEG, without its tables': lambda: drop(jpeg(), DHT),
  'JPEG, without its frame header': lambda: drop(jpeg(), SOF),
  'JPEG, cut in the header': lambda: jpeg()[:100],
  'JPEG, cut in its pixels': lambda: jpeg()[:-100],
  'JPEG, cut before its end marker': lambda: jpeg()[:-2],
  'JPEG, cut but closed': lambda: jpeg()[:-100] + END,
  'JPEG, progressive, cut in its pixels': lambda: jpeg(progressive=True)[:-100],
  'JPEG, progressive, cut before its end marker': lambda: jpeg(
    progressive=True
  )[:-2],
  'JPEG, 4:1:0, cut before its end marker': lambda: scans(y=(4, 2))[:-2],
  'JPEG, bytes missing within': lambda: cut_out(jpeg(), 100, 40),
  'JPEG, restart interval missing': lambda: insert(
    jpeg(restart_marker_blocks=1), b'\xff\xd3', b'\xff\xd3'
  ),
  'JPEG, stray bytes in the header': lambda: insert(
    jpeg(), b'\xff\xc0', b'junk'
  ),
  'JPEG, stray bytes before the end': lambda: insert(jpeg(), END, b'x' * 40),
  'JPEG, taller than its data': lambda: sized(400, 45),
  'JPEG, lower than its data': lambda: sized(16, 45),
  'JPEG, wider than its data': lambda: sized(37, 400),
  'JPEG, says 65500x65500': lambda: sized(65500, 65500),
  'JPEG, says 16000x16000': lambda: sized(16000, 16000),
  'JPEG, height 0': lambda: sized(0, 45),
  'JPEG, width 0': lambda: sized(37, 0),
  'JPEG, the first three bytes': lambda: jpeg()[:3],
}
