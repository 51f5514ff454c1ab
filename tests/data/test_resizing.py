"""Smaller copies: same examples, same order, fewer bytes."""

import os

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from resflax.data.decode import decode
from resflax.data.headers import read_header
from resflax.data.importing import import_folder
from resflax.data.resizing import copy_name, smaller, write_copy
from resflax.data.shard_writing import CHECKSUMS
from resflax.data.sources import load_dataset
from resflax.errors import DataError, UsageError
from tests.data.files import position_jpeg


@pytest.mark.parametrize(
  ('size', 'max_side', 'want'),
  [
    ((256, 256), 100, (100, 100)),
    ((256, 128), 64, (64, 32)),
    ((128, 256), 64, (32, 64)),
    ((96, 256), 50, (19, 50)),
  ],
)
def test_the_longest_side_fits(size, max_side, want):
  pixels, _ = position_jpeg()
  whole = np.ascontiguousarray(pixels[: size[0], : size[1]])
  image = smaller(simplejpeg.encode_jpeg(whole, 98), max_side, 95)
  header = read_header(image)
  assert (header.height, header.width) == want
  resized = Image.fromarray(whole).resize(want[::-1], Image.Resampling.BILINEAR)
  assert np.abs(decode(image, 3).astype(int) - resized).mean() < 3


def test_what_fits_is_not_written_again():
  _, image = position_jpeg()
  assert smaller(image, 256, 50) is image


def test_grey_stays_grey_and_quality_counts():
  pixels, _ = position_jpeg()
  grey = simplejpeg.encode_jpeg(
    np.ascontiguousarray(pixels[..., :1]), 98, 'GRAY', 'Gray'
  )
  low, high = smaller(grey, 128, 20), smaller(grey, 128, 95)
  assert read_header(low).channels == 1
  assert len(low) < len(high) < len(grey)


def test_a_damaged_image_cannot_be_made_smaller():
  _, image = position_jpeg()
  with pytest.raises(DataError, match='JPEG is damaged'):
    smaller(image[:-500], 64, 95)


@pytest.fixture
def original(tmp_path, write_image):
  for index in range(70):
    path = tmp_path / 'photos' / f'class{index % 3}' / f'{index}.png'
    write_image(path, (index, 2 * index, 90), size=(40 + index, 60))
  data_dir = str(tmp_path / 'data')
  return import_folder(str(tmp_path / 'photos'), None, data_dir)[0], data_dir


def test_a_copy_has_the_same_examples_in_the_same_order(original):
  dataset, data_dir = original
  copy, was_there = write_copy('photos', 64, 95, data_dir)
  assert not was_there and copy.info.name == 'photos_max64'
  before, after = dataset.split('train'), copy.split('train')
  assert len(before) == len(after) == 70
  for index in range(70):
    one, two = before[index], after[index]
    assert one['label'] == two['label']
    header = read_header(two['image'])
    assert max(header.height, header.width) <= 64
    centre = decode(two['image'], 3)[header.height // 2, header.width // 2]
    whole = decode(one['image'], 3)
    want = whole[whole.shape[0] // 2, whole.shape[1] // 2]
    assert np.abs(centre.astype(int) - want).max() <= 2
  assert write_copy('photos', 64, 95, data_dir)[1]
  assert load_dataset('photos_max64', data_dir).info == copy.info


def test_a_copy_that_was_made_otherwise_is_refused(original):
  dataset, data_dir = original
  write_copy('photos:1.0.0', 64, 95, data_dir)
  assert write_copy('photos', 64, 95, data_dir)[1]
  with pytest.raises(UsageError, match='quality=95, and not .*delete it'):
    write_copy('photos', 64, 80, data_dir)
  path = os.path.join(dataset.folder, CHECKSUMS)
  with open(path, 'a') as file:  # as if it had been imported again
    file.write('\n')
  with pytest.raises(UsageError, match='version=1.0.0.*delete it'):
    write_copy('photos', 64, 95, data_dir)


def test_a_record_that_cannot_be_read_is_named(original):
  dataset, data_dir = original
  name = 'photos-train.array_record-00000-of-00001'
  path = os.path.join(dataset.folder, name)
  with open(path, 'r+b') as file:
    file.seek(1000)  # of 10 kB, and padding
    file.write(bytes(10))
  with pytest.raises(DataError, match=r'Cannot use example \d+ .*--verify'):
    write_copy('photos', 64, 95, data_dir)
  assert os.listdir(data_dir) == ['photos']


def test_a_folder_has_to_be_imported_first(tmp_path):
  with pytest.raises(UsageError, match=r"prepare_data --folder='/my photos'"):
    write_copy('folder:/my photos', 64, 95, str(tmp_path))


def test_what_is_not_there_or_small_is_refused(tmp_path):
  with pytest.raises(UsageError, match='not prepared'):
    write_copy('cifar10', 64, 95, str(tmp_path))
  load_dataset('digits', str(tmp_path))
  with pytest.raises(UsageError, match='kept in memory'):
    write_copy('digits', 64, 95, str(tmp_path))
  assert os.listdir(tmp_path) == ['digits']


def test_names_of_copies():
  assert copy_name('imagenet2012:5.1.0', 512) == 'imagenet2012_max512'
  assert copy_name('imagenet_v2/topimages', 96) == 'imagenet_v2_topimages_max96'
