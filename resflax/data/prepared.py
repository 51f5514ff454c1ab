"""TFDS data sets that are prepared on disk as ArrayRecord.

Read from their files, not through the builder's code: `features.json` says all
that is needed, and the code of some builders imports TensorFlow.
"""

import hashlib
import math

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import naming, read_only_builder

from resflax.data.examples import SOFT_CLASSES, ExampleRecords, Keys
from resflax.data.memory import KEEP_BYTES, DecodedRecords
from resflax.data.names import (
  NotPreparedError,
  UnknownNameError,
  check_name,
  check_store,
  default_dir,
  prepare_command,
)
from resflax.data.records import DatasetInfo, Records, read_each
from resflax.data.shard_writing import CHECKSUMS
from resflax.data.shards import RangedSource, check_shards
from resflax.data.splits import parse_split, take
from resflax.errors import DataError, StorageError, UsageError

_WANTED = {
  True: 'an image classification set',
  False: 'a set with one image an example',
}


class PreparedDataset:
  """A TFDS classification set; images stay encoded, or small ones decoded.

  Args:
    name: `name`, `name/config`, `name:version`, or all three.
    data_dir: TFDS's folder, local or on gs://; None is TFDS's own default.
    labelled: whether examples need a label. Without, splits and sets that have
      none are there as well, and images stay encoded however small.
    several: whether they may have several, which training cannot use.

  Attributes:
    soft: classes and probabilities that examples have of a teacher; 0 = none.

  Raises:
    NotPreparedError: a known set that is not there.
    UnknownNameError: an unknown one.
    UsageError: a set that is not ArrayRecord or not one of images with one
      label each.
    StorageError: a bucket or folder that cannot be read.
    DataError: a damaged description; on `split`, a file that is missing or too
      short.
  """

  def __init__(
    self,
    name: str,
    data_dir: str | None,
    *,
    labelled: bool = True,
    several: bool = False,
  ):
    builder = _open(name, data_dir or default_dir())
    self.folder = str(builder.data_path)  # of this version's files
    features = builder.info.features
    keys = find_keys(builder.info, labelled=labelled, several=several)
    self.soft = keys.soft
    whole = {
      split: _records(
        builder, split, keys, decode=labelled and not keys.several
      )
      for split, info in builder.info.splits.items()
      if info.num_examples
    }
    # ImageNet's test split (and the like) has -1 for every label.
    self._records = {
      split: records
      for split, records in whole.items()
      if not labelled or keys.several or _has_labels(records)
    }
    # A split's files are opened when it is asked for, and before training.
    self._unchecked = {
      split: builder.info.splits[split].file_instructions
      for split in self._records
    }
    self.info = DatasetInfo(
      name=name,
      version=_version(builder),
      class_names=_class_names(features, keys),
      channels=features[keys.image].shape[2],
      splits={split: len(r) for split, r in self._records.items()},
    )

  def split(self, spec: str) -> Records:
    name = parse_split(spec, self.info).name
    if files := self._unchecked.pop(name, None):
      check_shards(files)
    return take(spec, self.info, self._records[name])


def find_prepared(name: str, data_dir: str) -> PreparedDataset | None:
  """Returns a data set of one's own; None where the name is free.

  Raises:
    NotPreparedError: the name is TFDS's.
    UsageError: see `PreparedDataset`.
  """
  try:
    return PreparedDataset(name, data_dir)
  except UnknownNameError:
    return None


def _open(name: str, data_dir: str):
  check_store(data_dir)
  try:
    parsed, arguments = naming.parse_builder_name_kwargs(name)
  except ValueError as error:
    raise UsageError(
      f'{name!r} is no name of a data set, and no folder: write name, '
      'name/config or name:version, or folder:DIR (config.data.name).'
    ) from error
  try:
    builder = read_only_builder.builder_from_files(
      str(parsed), data_dir=data_dir, **arguments
    )
  except tfds.core.DatasetNotFoundError as error:
    check_name(name, data_dir)
    raise NotPreparedError(
      f'{name} is not prepared in {data_dir}. Prepare it: '
      f'{prepare_command(name, data_dir)}'
    ) from error
  except Exception as error:  # of gcsfs, aiohttp, google.auth or protobuf
    said = ' '.join(f'{type(error).__name__}: {error}'.split())
    if '://' in data_dir or isinstance(error, OSError):
      raise StorageError(
        f'Cannot read {data_dir}: {said} (config.data.data_dir).'
      ) from error
    raise DataError(
      f'The description of {name} in {data_dir} cannot be read ({said}): copy '
      'or prepare the data set again.'
    ) from error
  _check_format(builder)
  return builder


def _version(builder) -> str:
  """TFDS's version, and one of the files' content where that is known."""
  checksums = builder.data_path / CHECKSUMS
  if not checksums.exists():
    return str(builder.info.version)
  try:
    content = hashlib.sha256(checksums.read_bytes()).hexdigest()
  except OSError as error:
    raise StorageError(f'Cannot read {checksums}: {error.strerror}.') from error
  return f'{builder.info.version}+{content[:12]}'


def _check_format(builder) -> None:
  formats = sorted(f.value for f in builder.info.available_file_formats())
  if 'array_record' not in formats:
    raise UsageError(
      f'{builder.data_path} holds {", ".join(formats)}, which cannot be read '
      'by index. Convert it, which downloads nothing: python -m '
      f'scripts.prepare_data --from_tfrecord={builder.data_path} '
      '--data_dir=ANOTHER_DIR'
    )


def _records(builder, split: str, keys: Keys, *, decode: bool) -> Records:
  source = builder.as_data_source(
    split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
  )
  name = f'{builder.info.full_name} {split}'
  ranged = RangedSource(source, builder.info.splits[split].file_instructions)
  records = ExampleRecords(name, ranged, keys)
  shape = builder.info.features[keys.image].shape
  large = None in shape or len(records) * math.prod(shape) > KEEP_BYTES
  if large or not decode:
    return records
  return DecodedRecords(records, channels=shape[2])


def _has_labels(records: Records) -> bool:
  """Whether the first example that can be read has one that is known."""
  for index in range(min(len(records), 16)):
    [example] = read_each(records, [index])
    if not isinstance(example, DataError):
      return example['label'] >= 0
  return True  # for training to complain of


def _class_names(features, keys: Keys) -> tuple[str, ...]:
  if not keys.label:
    return ()
  label = features[keys.label]
  return tuple((label.feature if keys.several else label).names)


def find_keys(info, *, labelled: bool = True, several: bool = False) -> Keys:
  """Finds the one image and the label of each example.

  Args:
    info: TFDS's, of the set.
    labelled: whether there has to be a label.
    several: whether there may be a sequence of them.

  Raises:
    UsageError: not a set of uint8 images with one label each.
  """
  features = info.features
  pair = info.supervised_keys
  if not (pair and len(pair) == 2 and set(pair) <= set(features)):
    found = [
      [key for key in features if type(features[key]) is kind]
      for kind in (tfds.features.Image, tfds.features.ClassLabel)
    ]
    pair = [keys[0] if len(keys) == 1 else None for keys in found]
  image, label = (features[key] if key else None for key in pair)
  several = several and isinstance(label, tfds.features.Sequence)
  classified = isinstance(
    label.feature if several else label, tfds.features.ClassLabel
  )
  if not (
    isinstance(image, tfds.features.Image)
    and (classified or not labelled)
    and image.np_dtype == np.uint8
    and image.shape[2] in (1, 3)
  ):
    raise UsageError(
      f'{info.full_name} is not {_WANTED[labelled]}: it has '
      f'{", ".join(features)} (config.data.name).'
    )
  soft = features[SOFT_CLASSES].shape[0] if SOFT_CLASSES in features else 0
  return Keys(pair[0], pair[1] if classified else None, soft, several)
