"""Writing encoded images as a TFDS data set of ArrayRecord, without TensorFlow.

TFDS imports TensorFlow to encode arrays; bytes in a `BytesIO` it takes as they
are.
"""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import tensorflow_datasets as tfds
from absl import logging

# Beside the shards: the SHA-256 of each, by file name.
CHECKSUMS = 'sha256.json'


class Encoded(NamedTuple):
  """One example to write.

  Attributes:
    image: the encoded file.
    label: index into the class names.
    source: where it came from, for messages.
  """

  image: bytes
  label: int
  source: str


class Images(tfds.core.GeneratorBasedBuilder, skip_registration=True):
  """Splits of encoded images with one label each, written in the given order.

  Args:
    name: of the data set, by which it is read.
    version: three numbers.
    description: where the images come from.
    class_names: by label.
    channels: 1 or 3.
    splits: by name, each a function that yields its examples once.
    data_dir: TFDS's folder.
  """

  def __init__(
    self,
    *,
    name: str,
    version: str,
    description: str,
    class_names: Sequence[str],
    channels: int,
    splits: Mapping[str, Callable[[], Iterator[Encoded]]],
    data_dir: str,
  ):
    self.name = name
    self.VERSION = tfds.core.Version(version)
    self._text = description
    self._class_names = list(class_names)
    self._channels = channels
    self._splits = splits
    super().__init__(data_dir=data_dir, file_format='array_record')

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=self._text,
      features=tfds.features.FeaturesDict(
        {
          'image': tfds.features.Image(shape=(None, None, self._channels)),
          'label': tfds.features.ClassLabel(names=self._class_names),
          'source': tfds.features.Text(),
        }
      ),
      supervised_keys=('image', 'label'),
      disable_shuffling=True,
    )

  def _split_generators(self, dl_manager) -> dict[str, Iterator]:
    del dl_manager
    return {
      name: self._generate_examples(make())
      for name, make in self._splits.items()
    }

  def _generate_examples(self, examples: Iterator[Encoded]) -> Iterator:
    for key, (image, label, source) in enumerate(examples):
      yield (
        key,
        {'image': io.BytesIO(image), 'label': label, 'source': source},
      )


def write(builder: Images) -> None:
  """Writes the data set and the checksums of its files.

  TFDS writes beside and renames, so a reader sees all of it or nothing.
  """
  with quiet():
    builder.download_and_prepare()
  folder = str(builder.data_path)
  write_json(os.path.join(folder, CHECKSUMS), checksums(folder))


def write_json(path: str, data: object) -> None:
  """Writes a local file that is there whole or not at all."""
  with open(path + '.tmp', 'w', encoding='utf-8') as file:
    json.dump(data, file, indent=2)
  os.replace(path + '.tmp', path)


def checksums(folder: str) -> dict[str, str]:
  """Returns the SHA-256 of each ArrayRecord file of a folder, by name."""
  digests = {}
  for name in sorted(os.listdir(folder)):
    if '.array_record' in name:
      with open(os.path.join(folder, name), 'rb') as file:
        digests[name] = hashlib.file_digest(file, 'sha256').hexdigest()
  return digests


@contextlib.contextmanager
def quiet() -> Iterator[None]:
  """Silences TFDS's banners and bars."""
  verbosity = logging.get_verbosity()
  logging.set_verbosity(logging.ERROR)
  tfds.disable_progress_bar()
  try:
    with contextlib.redirect_stdout(io.StringIO()):
      yield
  finally:
    tfds.enable_progress_bar()
    logging.set_verbosity(verbosity)
