"""Scikit-learn's handwritten digits: real data that needs no download.

The images are handed over as encoded PNG in a `BytesIO`; given arrays, TFDS
would import TensorFlow to encode them.
"""

import io
import sys
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from resflax.atomic import made_folders
from resflax.data.writing import quiet

TEST = 360
SPLIT_SEED = 0


class Digits(tfds.core.GeneratorBasedBuilder):
  """1,797 digits of 8x8 pixels: train 1,437 and test 360, stratified.

  Source: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits
  (UCI): 32x32 bitmaps counted in 4x4 blocks, hence 17 levels of grey.
  Scikit-learn ships its test set; the split here is our own.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Stratified by train_test_split with seed 0.'}

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description='Handwritten digits, 8x8 pixels, from scikit-learn.',
      homepage='https://archive.ics.uci.edu/dataset/80',
      features=tfds.features.FeaturesDict(
        {
          'image': tfds.features.Image(shape=(8, 8, 1), encoding_format='png'),
          'label': tfds.features.ClassLabel(num_classes=10),
        }
      ),
      supervised_keys=('image', 'label'),
    )

  def _split_generators(self, dl_manager) -> dict[str, Iterator]:
    del dl_manager
    _, labels = load_digits(return_X_y=True)
    train, test = train_test_split(
      np.arange(len(labels)),
      test_size=TEST,
      random_state=SPLIT_SEED,
      stratify=labels,
    )
    return {
      'train': self._generate_examples(train),
      'test': self._generate_examples(test),
    }

  def _generate_examples(self, chosen: np.ndarray) -> Iterator:
    digits = load_digits()
    for index in chosen.tolist():
      # 0..16 to 0..255, both ends included
      pixels = np.round(digits.images[index] * (255 / 16)).astype(np.uint8)
      file = io.BytesIO()
      Image.fromarray(pixels).save(file, 'PNG')
      file.seek(0)
      yield index, {'image': file, 'label': int(digits.target[index])}


def prepare(data_dir: str) -> None:
  """Writes the data set into `data_dir`, unless it is there.

  TFDS writes beside and renames, so a reader sees all of it or nothing, and of
  several processes at once one wins; the others find its data there.
  """
  with quiet():
    builder = Digits(data_dir=data_dir)
    if builder.is_prepared():
      return
  print(f'Preparing digits in {builder.data_path}', file=sys.stderr, flush=True)
  with made_folders(str(builder.data_path.parent)):
    try:
      _write(builder)
    except OSError:  # the rename found the folder of another process
      with quiet():
        is_prepared = Digits(data_dir=data_dir).is_prepared()
      if not is_prepared:
        raise


def _write(builder: Digits) -> None:
  # TFDS makes a folder for downloads even where there are none.
  with tempfile.TemporaryDirectory() as folder, quiet():
    builder.download_and_prepare(
      download_dir=folder, file_format='array_record'
    )
