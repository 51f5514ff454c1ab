"""Odd and bad files get what the table of docs/data.md says."""

import contextlib
import pathlib
import re
import time

import numpy as np
import pytest
from PIL import Image

from resflax.data.decode import decode
from resflax.data.headers import read_header
from resflax.errors import DataError
from tests.data import jpeg_kinds, png_kinds
from tests.data.corpus import CORPUS, gif, webp
from tests.data.pictures import (
  GREY,
  INK,
  MARKS,
  PICTURE,
  encode,
  encode_moving,
  palette,
)

DOCS = pathlib.Path(__file__).parents[2] / 'docs' / 'data.md'
ROW = re.compile(r'\| (.+?) \| (.+?) \| (?:`(.+)` )?\|')
GETS = ('decoded', 'decoded, wrong', 'refused by header', 'refused at decode')
FLOOR = GREY.min()  # the first of a GIF's colours, which fills its canvas
CMYK = Image.fromarray(INK, mode='CMYK').convert('RGB')

# What a decoded kind holds, where that is not PICTURE; the largest difference
# allowed, where it is not TOLERANCE's. The lossless ones are exact.
TOLERANCE = {'JPEG': 8, 'WebP': 8, 'PNG': 0, 'BMP': 0, 'GIF': 0}
WANT = {
  'JPEG, grey': GREY,
  'JPEG, 1x1': PICTURE[:1, :1],
  'JPEG, CMYK': CMYK,
  'JPEG, CMYK without its Adobe marker': CMYK,
  'JPEG, YCCK': CMYK,
  'JPEG, arithmetic coding': jpeg_kinds.RAMP,
  'JPEG, lossless, grey': GREY,
  'PNG, grey': GREY,
  'PNG, 16384x1': np.tile(GREY[:1], 365)[:, :16384],
  'PNG, 1 bit': MARKS,
  'PNG, 2 bits': GREY // 64 * 85,
  'PNG, 16 bits, grey': GREY,
  'PNG, grey and alpha': GREY,
  'PNG, palette': palette(),
  'PNG, palette and transparency': palette(),
  'BMP, 1 bit': MARKS,
  'BMP, palette': palette(),
  'BMP, run lengths': GREY,
  'GIF': GREY,
  'GIF, palette': palette(),
  'GIF, not interlaced': GREY,
  'GIF, transparency': palette(),
  'GIF, smaller than its canvas': np.pad(
    GREY, ((0, 2), (0, 3)), constant_values=FLOOR
  ),
  'GIF, garbage behind the end': GREY,
}
ALLOWED = {
  'JPEG, 4:4:1': 20,  # colours at a quarter of the height
  'JPEG, 4:1:0': 20,
  'JPEG, lossless, grey': 0,
  'GIF, two frames': 12,  # Pillow chose 256 colours
  'WebP, lossless': 0,
  'WebP, lossless, alpha': 0,
  'WebP, two frames': 0,
  'WebP, EXIF says turn it': 0,
  'WebP, garbage behind the end': 0,
}


def read_table():
  section = DOCS.read_text().split('## Bad files')[1].split('\n## ')[0]
  return {kind: (gets, says) for kind, gets, says in ROW.findall(section)}


TABLE = read_table()


def kinds(gets):
  return [kind for kind, row in TABLE.items() if row[0] == gets]


def wanted(kind):
  want = WANT.get(kind, PICTURE)
  image = want if isinstance(want, Image.Image) else Image.fromarray(want)
  return {3: np.asarray(image.convert('RGB')), 1: grey_of(image)}


def grey_of(image):
  grey = image if image.mode == 'L' else image.convert('RGB').convert('L')
  return np.asarray(grey)[..., None]


def error(pixels, want):
  if pixels.shape != want.shape:
    return 256
  return np.abs(pixels.astype(int) - want).max()


def test_the_table_and_the_corpus_are_of_the_same_kinds():
  assert TABLE.keys() == CORPUS.keys()
  assert {gets for gets, _ in TABLE.values()} == set(GETS)
  for gets, says in TABLE.values():
    assert bool(says) == gets.startswith('refused')
  assert not (WANT.keys() | ALLOWED.keys()) - set(kinds('decoded'))


@pytest.mark.parametrize('kind', kinds('decoded'))
def test_decoded(kind):
  image, want = CORPUS[kind](), wanted(kind)
  header = read_header(image)
  allowed = ALLOWED.get(kind, TOLERANCE[re.match(r'\w+', kind)[0]])
  assert (header.height, header.width) == want[3].shape[:2]
  assert error(decode(image, 3), want[3]) <= allowed
  # one more, for the weights of red, green and blue are rounded
  assert error(decode(image, 1), want[1]) <= allowed + 1


@pytest.mark.parametrize('kind', kinds('decoded, wrong'))
def test_what_no_decoder_can_tell(kind):
  image = CORPUS[kind]()
  assert error(decode(image, 3), wanted(kind)[3]) > 20


@pytest.mark.parametrize('kind', kinds('refused by header'))
def test_refused_by_header(kind):
  image = CORPUS[kind]()
  start = time.perf_counter()
  with pytest.raises(DataError) as refusal:
    read_header(image)
  assert time.perf_counter() - start < 0.5
  assert str(refusal.value).startswith(TABLE[kind][1])
  with pytest.raises(DataError):
    decode(image, 3)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('kind', kinds('refused at decode'))
def test_refused_at_decode(kind, channels):
  image = CORPUS[kind]()
  header = read_header(image)
  with pytest.raises(DataError) as refusal:
    decode(image, channels, header=header)
  assert str(refusal.value).startswith(TABLE[kind][1])


WHOLE = {
  'JPEG': jpeg_kinds.jpeg,
  'JPEG, progressive': lambda: jpeg_kinds.jpeg(progressive=True),
  'JPEG, CMYK': jpeg_kinds.cmyk,
  'JPEG, 4:1:0': lambda: jpeg_kinds.scans(y=(4, 2)),
  'JPEG, arithmetic coding': jpeg_kinds.arithmetic,
  'JPEG, lossless, grey': lambda: jpeg_kinds.lossless(GREY),
  'PNG': png_kinds.png,
  'PNG, interlaced': png_kinds.interlaced,
  'BMP': lambda: encode(PICTURE[:, :44], 'BMP'),  # rows without padding
  'GIF': gif,
  'GIF, two frames': lambda: encode_moving('GIF'),
  'WebP': webp,
  'WebP, two frames': lambda: encode_moving('WEBP', lossless=True),
}


@pytest.mark.parametrize('shrink', [1, 8])
@pytest.mark.parametrize('kind', WHOLE)
def test_wherever_a_file_is_cut_it_is_refused(kind, shrink):
  image = WHOLE[kind]()
  assert decode(image, 3, shrink).shape[2] == 3
  for size in range(len(image)):
    with pytest.raises(DataError):
      decode(image[:size], 3, shrink)


@pytest.mark.parametrize('kind', WHOLE)
def test_damage_gives_no_other_error(kind):
  rng, image = np.random.default_rng(0), WHOLE[kind]()
  for _ in range(300):
    damaged = np.frombuffer(image, np.uint8).copy()
    within = rng.choice([100, len(image)])  # half of it in the header
    damaged[rng.integers(8, within, rng.integers(1, 4))] = rng.integers(256)
    with contextlib.suppress(DataError):
      header = read_header(damaged.tobytes())
      if header.height * header.width < 1e6:  # else it takes seconds
        pixels = decode(damaged.tobytes(), 3)
        assert pixels.shape == (header.height, header.width, 3)
        assert decode(damaged.tobytes(), 3, 8).shape <= pixels.shape
