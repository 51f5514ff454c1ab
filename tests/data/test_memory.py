"""Arrays as a data set, and small images that stay decoded."""

import pickle

import cv2
import numpy as np
import pytest

from resflax.data.memory import DecodedRecords
from resflax.data.records import Dataset, Records
from resflax.data.sources import ArrayDataset
from resflax.errors import DataError, UsageError

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 6, 5, 3), np.uint8)
LABELS = np.arange(10) % 4


class Files:
  """Encoded records that count how often they are read."""

  def __init__(self, broken=()):
    self.reads = []
    self.files = [cv2.imencode('.png', image)[1].tobytes() for image in IMAGES]
    for index in broken:
      self.files[index] = self.files[index][:-20]

  def __len__(self):
    return len(self.files)

  def __getitem__(self, index):
    self.reads.append(index)
    return {'image': self.files[index], 'label': int(LABELS[index])}

  def __repr__(self):
    return 'files'


def test_arrays_are_a_data_set():
  dataset = ArrayDataset({'train': (IMAGES, LABELS), 'test': (IMAGES, LABELS)})
  assert isinstance(dataset, Dataset)
  assert dataset.info.class_names == ('0', '1', '2', '3')
  assert dataset.info.splits == {'train': 10, 'test': 10}
  part = dataset.split('train[80%:]')
  assert isinstance(part, Records) and len(part) == 2
  np.testing.assert_array_equal(part[1]['image'], IMAGES[9])
  assert part[1]['label'] == 1 and type(part[1]['label']) is int
  copy = pickle.loads(pickle.dumps(part))
  np.testing.assert_array_equal(copy[0]['image'], IMAGES[8])


def test_grey_arrays_and_images_of_any_size():
  grey = ArrayDataset({'train': (IMAGES[..., 0], LABELS)}, 'abcd')
  assert grey.info.channels == 1 and grey.info.class_names[3] == 'd'
  assert grey.split('train')[0]['image'].shape == (6, 5, 1)
  mixed = [np.zeros((4, 9, 3), np.uint8), np.zeros((7, 2, 3), np.uint8)]
  records = ArrayDataset({'train': (mixed, [0, 1])}).split('train')
  assert [records[i]['image'].shape for i in (0, 1)] == [(4, 9, 3), (7, 2, 3)]


@pytest.mark.parametrize(
  ('images', 'labels', 'names', 'says'),
  [
    (IMAGES / 255, LABELS, None, 'float64, not uint8'),
    (IMAGES, LABELS[:5], None, '10 images and 5 labels'),
    (IMAGES[:0], LABELS[:0], None, 'at least one'),
    (IMAGES, LABELS * 0.5, None, 'not integers'),
    (IMAGES, LABELS - 1, None, 'not integers from 0'),
    (IMAGES, LABELS, ('a', 'b'), 'Label 3 has no name'),
  ],
)
def test_arrays_that_do_not_fit_are_refused(images, labels, names, says):
  with pytest.raises(UsageError, match=says):
    ArrayDataset({'train': (images, labels)}, names)


def test_decoded_images_are_read_once():
  files = Files()
  records = DecodedRecords(files, channels=3)
  for _ in range(2):
    batch = records.__getitems__([7, 2, 7])
    np.testing.assert_array_equal(batch[0]['image'], IMAGES[7][..., ::-1])
    assert [record['label'] for record in batch] == [3, 2, 3]
    assert records[2]['label'] == 2
  assert sorted(set(files.reads)) == [2, 7] and len(files.reads) <= 3
  assert len(pickle.dumps(records)) < len(pickle.dumps(files)) + 1000


def test_decoded_images_that_are_damaged_are_named():
  records = DecodedRecords(Files(broken=[4]), channels=3)
  with pytest.raises(DataError, match='PNG is damaged: it is truncated'):
    records[4]
  assert records[3]['label'] == 3
  assert records.where(4) == 'example 4 of files'
