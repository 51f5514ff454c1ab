"""Decoding: right pixels from good files, DataError from damaged ones."""

import io

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from resflax.data.decode import DECODER, decode, to_channels
from resflax.data.headers import read_header
from resflax.errors import DataError
from tests.data.jpeg_kinds import lossless
from tests.data.pictures import GREY


@pytest.fixture(scope='module')
def photo():
  """A smooth colour image: what JPEG is good at."""
  coarse = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
  return cv2.resize(coarse, (48, 40), interpolation=cv2.INTER_CUBIC)


def encode(pixels, kind='PNG', mode=None, **options):
  image = Image.fromarray(pixels)
  file = io.BytesIO()
  (image.convert(mode) if mode else image).save(file, kind, **options)
  return file.getvalue()


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'GIF', 'WEBP', 'JPEG'])
def test_formats_agree_with_pillow(photo, kind):
  options = {'lossless': True} if kind == 'WEBP' else {}
  image = encode(photo, kind, **options)
  want = np.asarray(Image.open(io.BytesIO(image)).convert('RGB'))
  assert np.abs(decode(image, 3).astype(int) - want).max() <= 5
  if kind != 'JPEG':
    np.testing.assert_array_equal(decode(image, 3), want)
  assert decode(image, 1).shape == (40, 48, 1)
  assert read_header(image)[:3] == (kind, 40, 48)


def test_the_name_does_not_matter_but_the_first_bytes_do(photo):
  # n02105855_2933.JPEG of ImageNet is a PNG
  np.testing.assert_array_equal(decode(encode(photo, 'PNG'), 3), photo)


@pytest.mark.parametrize('kind', ['PNG', 'JPEG'])
def test_grey_files(photo, kind):
  grey = photo[..., 0]
  image = encode(grey, kind, **({'quality': 100} if kind == 'JPEG' else {}))
  assert read_header(image).channels == 1
  assert np.abs(decode(image, 1)[..., 0].astype(int) - grey).max() <= 2
  rgb = decode(image, 3)
  np.testing.assert_array_equal(rgb[..., 0], rgb[..., 2])


def test_cmyk_jpeg_becomes_rgb(photo):
  pixels = decode(encode(photo, 'JPEG', mode='CMYK', quality=95), 3)
  assert np.abs(pixels.astype(int) - photo).mean() < 4


def test_alpha_is_dropped_and_palettes_are_looked_up(photo):
  alpha = np.linspace(0, 255, 40 * 48).astype(np.uint8).reshape(40, 48, 1)
  image = encode(np.concatenate([photo, alpha], axis=2))
  np.testing.assert_array_equal(decode(image, 3), photo)
  image = encode(photo, mode='P')
  want = np.asarray(Image.open(io.BytesIO(image)).convert('RGB'))
  np.testing.assert_array_equal(decode(image, 3), want)
  assert read_header(image).channels == 3


def test_sixteen_bits_become_the_upper_eight():
  # Pillow's convert('L') would clip all of these to 255
  values = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
  image = cv2.imencode('.png', values)[1].tobytes()
  np.testing.assert_array_equal(decode(image, 1)[..., 0], values >> 8)


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP'])
def test_exif_orientation_is_not_applied(photo, kind):
  exif = Image.Exif()
  exif[0x0112] = 6  # turn by 90 degrees
  assert decode(encode(photo, kind, exif=exif), 3).shape == photo.shape


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'BMP', 'WEBP'])
@pytest.mark.parametrize('keep', [0.5, 0.95])
def test_truncated_files_are_refused(photo, kind, keep):
  image = encode(photo, kind)
  with pytest.raises(DataError, match=kind):
    decode(image[: int(len(image) * keep)], 3)


def test_a_flipped_bit_of_a_png_is_found_by_its_checksum(photo):
  image = bytearray(encode(photo))
  image[len(image) // 2] ^= 1
  with pytest.raises(DataError, match='chunk fails its checksum'):
    decode(bytes(image), 3)


@pytest.mark.parametrize(
  ('image', 'says'),
  [
    (b'', 'not an image'),
    (b'<!DOCTYPE html>', '3c 21 44 4f'),
    (b'\xff\xd8\xff\xe0junk', 'JPEG without a readable header'),
    (b'\x89PNG\r\n\x1a\n\0\0', 'PNG without a readable header'),
    (b'BMjunk', 'BMP without a readable header'),
  ],
)
def test_what_is_not_an_image_is_named(image, says):
  with pytest.raises(DataError, match=says):
    decode(image, 3)


def test_sizes_are_checked_before_decoding(photo):
  image = bytearray(encode(photo))
  image[16:24] = (20_000).to_bytes(4, 'big') + (10).to_bytes(4, 'big')
  with pytest.raises(DataError, match='20000x10: sides are 1 to 16384'):
    read_header(bytes(image))
  image[16:24] = (16_000).to_bytes(4, 'big') * 2
  with pytest.raises(DataError, match='over 178,000,000 pixels'):
    read_header(bytes(image))
  jpeg = bytearray(encode(photo, 'JPEG'))
  start = jpeg.find(b'\xff\xc0')
  jpeg[start + 5 : start + 9] = b'\xff\xff\xff\xff'
  with pytest.raises(DataError):
    read_header(bytes(jpeg))


@pytest.mark.parametrize('shrink', [1, 2, 4, 8])
def test_jpeg_decodes_at_a_fraction(photo, shrink):
  image = simplejpeg.encode_jpeg(np.ascontiguousarray(photo), quality=95)
  pixels = decode(image, 3, shrink)
  assert pixels.shape == (40 // shrink, 48 // shrink, 3)
  size = pixels.shape[1::-1]
  want = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(int)
  assert np.abs(pixels - want).mean() < 4


@pytest.mark.parametrize(('height', 'width'), [(17, 64), (101, 200), (9, 31)])
@pytest.mark.parametrize('shrink', [2, 4, 8])
def test_jpeg_sizes_are_rounded_up(height, width, shrink):
  image = encode(np.full((height, width, 3), 200, np.uint8), 'JPEG')
  pixels = decode(image, 3, shrink)
  assert pixels.shape == (-(-height // shrink), -(-width // shrink), 3)


def test_a_lossless_jpeg_comes_out_whole():
  # libjpeg-turbo before 3.1.4 writes beyond the buffer of a fraction
  image = lossless(GREY)
  np.testing.assert_array_equal(decode(image, 1, 8)[..., 0], GREY)


def test_to_channels():
  grey = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
  rgb = to_channels(grey, 3)
  np.testing.assert_array_equal(rgb, np.repeat(grey, 3, axis=2))
  np.testing.assert_array_equal(to_channels(rgb, 1), grey)
  with pytest.raises(DataError, match='2 channels'):
    to_channels(np.zeros((3, 4, 2), np.uint8), 3)


def test_the_decoder_is_named():
  for library in ('simplejpeg', 'OpenCV', 'Pillow'):
    assert f'{library} ' in DECODER
