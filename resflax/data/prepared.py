"""TFDS data sets that are prepared on disk as ArrayRecord.

Read from their files, not through the builder's code: `features.json` says all
that is needed, and the code of some builders imports TensorFlow.
"""

import math
import os

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import naming, read_only_builder
from tensorflow_datasets.proto import tf_example_pb2

from resflax.data.builders import BUNDLED
from resflax.data.memory import KEEP_BYTES, DecodedRecords
from resflax.data.records import DatasetInfo, Records, parse_split, read, take
from resflax.errors import UsageError, near_miss


class NotPreparedError(UsageError):
  """A known data set that is not on disk; the message says what to do."""


class PreparedDataset:
  """A TFDS classification set; images stay encoded, or small ones decoded.

  Args:
    name: `name`, `name/config`, `name:version`, or all three.
    data_dir: TFDS's folder; None is TFDS's own default.

  Raises:
    NotPreparedError: a known set that is not there.
    UsageError: an unknown name, or a set that is not ArrayRecord or not one of
      images with one label each.
  """

  def __init__(self, name: str, data_dir: str | None):
    builder = _open(name, data_dir or default_dir())
    self.folder = str(builder.data_path)  # of this version's files
    image, label = find_keys(builder.info)
    whole = {
      split: _records(builder, split, image, label)
      for split, info in builder.info.splits.items()
      if info.num_examples
    }
    # ImageNet's test split (and the like) has -1 for every label.
    self._records = {
      split: records
      for split, records in whole.items()
      if read(records, [0])[0]['label'] >= 0
    }
    features = builder.info.features
    self.info = DatasetInfo(
      name=name,
      version=str(builder.info.version),
      class_names=tuple(features[label].names),
      channels=features[image].shape[2],
      splits={split: len(r) for split, r in self._records.items()},
    )

  def split(self, spec: str) -> Records:
    name, _, _ = parse_split(spec, self.info)
    return take(spec, self.info, self._records[name])


class ExampleRecords:
  """One split of ArrayRecord files that hold `tf.train.Example`s.

  They are parsed here, because TFDS's own parser (`deserialize_example_np`)
  takes 30 us an example, and the two fields we need 4. Read several at once:
  array_record takes 22 us a record in a batch of 100, 100 us alone.
  """

  def __init__(self, name: str, source, image: str, label: str):
    self.name = name
    self.source = source
    self.image = image
    self.label = label

  def __len__(self) -> int:
    return len(self.source)

  def __getitem__(self, index: int) -> dict:
    return self._parse(self.source[index])

  def __getitems__(self, indices) -> list[dict]:
    return [self._parse(raw) for raw in self.source.__getitems__(indices)]

  def _parse(self, raw: bytes) -> dict:
    fields = tf_example_pb2.Example.FromString(raw).features.feature
    return {
      'image': fields[self.image].bytes_list.value[0],
      'label': fields[self.label].int64_list.value[0],
    }

  def __repr__(self) -> str:
    return f'{self.name} ({len(self)} examples)'


def default_dir() -> str:
  """TFDS's own default, looked up when asked for and not at import."""
  return os.path.expanduser(
    os.environ.get('TFDS_DATA_DIR', '~/tensorflow_datasets')
  )


def prepare_command(name: str, data_dir: str) -> str:
  """The command that prepares a data set; without what is the default."""
  flag = '' if data_dir == default_dir() else f' --data_dir={data_dir}'
  return f'python -m scripts.prepare_data --dataset={name}{flag}'


def check_name(name: str) -> None:
  """Refuses a name that TFDS does not know.

  Raises:
    UsageError: with the nearest known name.
  """
  known = [*tfds.list_builders(with_community_datasets=False), *BUNDLED]
  base = name.split('/')[0].split(':')[0]
  if base not in known:
    raise UsageError(
      f'Unknown data set {name!r}.{near_miss(base, known)} Give the name of a '
      'TFDS data set or folder:DIR (config.data.name).'
    )


def _open(name: str, data_dir: str):
  try:
    parsed, arguments = naming.parse_builder_name_kwargs(name)
  except ValueError as error:
    raise UsageError(
      f'Malformed data set name {name!r}: write name, name/config or '
      'name:version, or folder:DIR (config.data.name).'
    ) from error
  try:
    builder = read_only_builder.builder_from_files(
      str(parsed), data_dir=data_dir, **arguments
    )
  except tfds.core.DatasetNotFoundError as error:
    check_name(name)
    raise NotPreparedError(
      f'{name} is not prepared in {data_dir}. Prepare it: '
      f'{prepare_command(name, data_dir)}'
    ) from error
  _check_format(builder)
  return builder


def _check_format(builder) -> None:
  formats = sorted(f.value for f in builder.info.available_file_formats())
  if 'array_record' not in formats:
    raise UsageError(
      f'{builder.data_path} holds {", ".join(formats)}, which cannot be read '
      'by index. Convert it, which downloads nothing: python -m '
      f'scripts.prepare_data --from_tfrecord={builder.data_path} '
      '--data_dir=ANOTHER_DIR'
    )


def _records(builder, split: str, image: str, label: str) -> Records:
  source = builder.as_data_source(
    split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
  )
  name = f'{builder.info.full_name} {split}'
  records = ExampleRecords(name, source, image, label)
  shape = builder.info.features[image].shape
  if None in shape or len(records) * math.prod(shape) > KEEP_BYTES:
    return records
  return DecodedRecords(records, channels=shape[2])


def find_keys(info) -> tuple[str, str]:
  """Finds the one image and the one label of each example.

  Raises:
    UsageError: not a set of uint8 images with one label each.
  """
  features = info.features
  pair = info.supervised_keys
  if not (pair and len(pair) == 2 and set(pair) <= set(features)):
    pair = [
      [key for key in features if type(features[key]) is kind]
      for kind in (tfds.features.Image, tfds.features.ClassLabel)
    ]
    pair = [keys[0] for keys in pair if len(keys) == 1]
  image, label = (
    (features[key] for key in pair) if len(pair) == 2 else (None, None)
  )
  if not (
    isinstance(image, tfds.features.Image)
    and isinstance(label, tfds.features.ClassLabel)
    and image.np_dtype == np.uint8
    and image.shape[2] in (1, 3)
  ):
    raise UsageError(
      f'{info.full_name} is not an image classification set: it has '
      f'{", ".join(features)} (config.data.name).'
    )
  return tuple(pair)
