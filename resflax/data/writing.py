"""Writing encoded images as a TFDS data set of ArrayRecord.

In TFDS's layout, but without its builders: they sort all examples by a key,
for which they hold a split in memory, and beyond 1,000 MiB import TensorFlow.
"""

import contextlib
import dataclasses
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core import naming
from tensorflow_datasets.proto import tf_example_pb2

from resflax.atomic import whole_folder
from resflax.data.shard_writing import CHECKSUMS, write_shards
from resflax.errors import UsageError

_FORMAT = tfds.core.FileFormat.ARRAY_RECORD
_ORIGIN = 'metadata.json'  # TFDS's name for what a set says of itself


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


@dataclasses.dataclass(frozen=True)
class Images:
  """Splits of encoded images with one label each, to write in this order.

  Attributes:
    name: of the data set, by which it is read.
    version: three numbers.
    description: where the images come from.
    origin: the same for `check_origin`.
    class_names: by label.
    channels: 1 or 3.
    splits: by name, each a function that yields its examples once.
    data_dir: TFDS's folder.
  """

  name: str
  version: str
  description: str
  origin: Mapping[str, str | int]
  class_names: Sequence[str]
  channels: int
  splits: Mapping[str, Callable[[], Iterator[Encoded]]]
  data_dir: str


def write(images: Images) -> None:
  """Writes the data set and the checksums of its files, all or nothing.

  Raises:
    UsageError: a class name that TFDS cannot keep.
    StorageError: it cannot be written, or another process is writing it.
    ResflaxError: of the examples.
  """
  _check_class_names(images.class_names)
  path = os.path.join(images.data_dir, images.name, images.version)
  splits, digests = [], {}
  with whole_folder(path) as folder:
    for split, make in images.splits.items():
      template = naming.ShardedFileTemplate(
        data_dir=folder,
        dataset_name=images.name,
        split=split,
        filetype_suffix=_FORMAT.file_suffix,
      )
      info, files = _write_split(template, map(_serialized, make()))
      splits.append(info)
      digests |= files
    _describe(images, splits, folder)
    write_json(os.path.join(folder, CHECKSUMS), digests)


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
      f'{folder} was made from {_said(written)}, and not from '
      f'{_said(origin)}: {hint}.'
    )


def write_json(path: str, data: object) -> None:
  """Writes a local file that is there whole or not at all."""
  with open(path + '.tmp', 'w', encoding='utf-8') as file:
    json.dump(data, file, indent=2)
  os.replace(path + '.tmp', path)


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


def _check_class_names(names: Sequence[str]) -> None:
  for name in names:
    if name != name.strip() or len(name.splitlines()) != 1:
      raise UsageError(
        f'Class {name!r} cannot be written, for TFDS keeps a name a line and '
        'no spaces around it: rename its folder.'
      )


def _write_split(
  template: naming.ShardedFileTemplate, records: Iterator[bytes]
) -> tuple[tfds.core.SplitInfo, dict[str, str]]:
  """Returns what TFDS says of a split, and the SHA-256 of each of its files."""
  split = template.split
  shards = write_shards(str(template.data_dir / split), records)
  digests = {}
  for index, shard in enumerate(shards):  # their names have their number
    path = template.sharded_filepath(shard_index=index, num_shards=len(shards))
    os.rename(shard.path, path)
    digests[path.name] = shard.sha256
  info = tfds.core.SplitInfo(
    name=split,
    shard_lengths=[shard.count for shard in shards],
    num_bytes=sum(shard.size for shard in shards),
    filename_template=template,
  )
  return info, digests


def _serialized(example: Encoded) -> bytes:
  proto = tf_example_pb2.Example()
  fields = proto.features.feature
  fields['image'].bytes_list.value.append(example.image)
  fields['label'].int64_list.value.append(example.label)
  # Names of files may be any bytes.
  fields['source'].bytes_list.value.append(os.fsencode(example.source))
  return proto.SerializeToString(deterministic=True)


def _describe(
  images: Images, splits: list[tfds.core.SplitInfo], folder: str
) -> None:
  """Writes what TFDS's readers look for."""
  info = tfds.core.DatasetInfo(
    builder=tfds.core.DatasetIdentity(
      name=images.name,
      version=tfds.core.Version(images.version),
      data_dir=folder,
      module_name=__name__,
    ),
    description=images.description,
    features=tfds.features.FeaturesDict(
      {
        'image': tfds.features.Image(shape=(None, None, images.channels)),
        'label': tfds.features.ClassLabel(names=list(images.class_names)),
        'source': tfds.features.Text(),
      }
    ),
    supervised_keys=('image', 'label'),
    disable_shuffling=True,
    metadata=tfds.core.MetadataDict(images.origin),
  )
  info.set_file_format(_FORMAT)
  info.set_splits(tfds.core.SplitDict(splits))
  info.write_to_directory(folder)


def _said(origin: Mapping[str, str | int]) -> str:
  said = ', '.join(f'{key}={value}' for key, value in origin.items())
  return said or 'something else'
