"""What a data set says of itself, in the files that TFDS looks for."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import naming

from resflax.data.examples import SOFT_CLASSES, SOFT_PROBABILITIES
from resflax.data.shard_writing import Shard
from resflax.errors import UsageError

_FORMAT = tfds.core.FileFormat.ARRAY_RECORD
_ORIGIN = 'metadata.json'  # TFDS's name for what a set says of itself


@dataclasses.dataclass(frozen=True, kw_only=True)
class About:
  """What a data set says of itself.

  Attributes:
    name: of the data set, by which it is read.
    version: three numbers.
    description: where the images come from.
    origin: the same for `check_origin`.
    class_names: by label.
    channels: 1 or 3.
    soft: classes and probabilities that examples have beside the label.
  """

  name: str
  version: str
  description: str
  origin: Mapping[str, str | int]
  class_names: Sequence[str]
  channels: int
  soft: int = 0


def check_origin(
  folder: str, origin: Mapping[str, str | int], hint: str
) -> None:
  """Refuses a data set that is there, but was made from something else.

  Args:
    folder: of its files.
    origin: what it would be made from now.
    hint: what to do about it.

  Raises:
    UsageError: it says that it was made from something else, or not from what.
  """
  path = os.path.join(folder, _ORIGIN)
  written = {}
  # Damaged, it says nothing either.
  with (
    contextlib.suppress(OSError, TypeError, ValueError),
    open(path, encoding='utf-8') as file,
  ):
    written = dict(json.load(file))
  if written != origin:
    raise UsageError(
      f'{folder} was made from {_said(written, origin)}, and not from '
      f'{_said(origin, written)}: {hint}.'
    )


def check_class_names(names: Sequence[str]) -> None:
  """Refuses names of classes that TFDS would change.

  Raises:
    UsageError: there is one.
  """
  for name in names:
    if name != name.strip() or len(name.splitlines()) != 1:
      raise UsageError(
        f'Class {name!r} cannot be written, for TFDS keeps a name a line and '
        'no spaces around it: rename its folder.'
      )


def shard_names_of(dataset: str, split: str, count: int) -> list[str]:
  """Returns the names of a split's files: they have their number."""
  template = _template(dataset, split, '')
  return [path.name for path in template.sharded_filepaths(count)]


def describe(
  about: About, splits: Mapping[str, Sequence[Shard]], folder: str
) -> None:
  """Writes what TFDS's readers look for.

  Args:
    about: the data set.
    splits: the files of each, in order.
    folder: that they are in.
  """
  info = tfds.core.DatasetInfo(
    builder=tfds.core.DatasetIdentity(
      name=about.name,
      version=tfds.core.Version(about.version),
      data_dir=folder,
      module_name=__name__,
    ),
    description=about.description,
    features=_features(about),
    supervised_keys=('image', 'label'),
    disable_shuffling=True,
    metadata=tfds.core.MetadataDict(about.origin),
  )
  info.set_file_format(_FORMAT)
  infos = [
    tfds.core.SplitInfo(
      name=split,
      shard_lengths=[shard.count for shard in shards],
      num_bytes=sum(shard.size for shard in shards),
      filename_template=_template(about.name, split, folder),
    )
    for split, shards in splits.items()
  ]
  info.set_splits(tfds.core.SplitDict(infos))
  info.write_to_directory(folder)


def _features(about: About) -> tfds.features.FeaturesDict:
  features = {
    'image': tfds.features.Image(shape=(None, None, about.channels)),
    'label': tfds.features.ClassLabel(names=list(about.class_names)),
    'source': tfds.features.Text(),
  }
  if about.soft:
    shape = (about.soft,)
    features |= {
      SOFT_CLASSES: tfds.features.Tensor(shape=shape, dtype=np.int64),
      SOFT_PROBABILITIES: tfds.features.Tensor(shape=shape, dtype=np.float32),
      'confidence': tfds.features.Scalar(dtype=np.float32),
    }
  return tfds.features.FeaturesDict(features)


def _template(
  dataset: str, split: str, folder: str
) -> naming.ShardedFileTemplate:
  return naming.ShardedFileTemplate(
    data_dir=folder,
    dataset_name=dataset,
    split=split,
    filetype_suffix=_FORMAT.file_suffix,
  )


def _said(origin: Mapping, other: Mapping) -> str:
  """Says what an origin has that another one has not."""
  said = ', '.join(
    f'{key}={value}' for key, value in origin.items() if other.get(key) != value
  )
  return said or 'something else'
