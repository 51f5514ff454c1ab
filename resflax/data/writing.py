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
from tensorflow_datasets.proto import tf_example_pb2

from resflax.atomic import whole_folder
from resflax.data.describing import (
  About,
  check_class_names,
  describe,
  shard_names_of,
)
from resflax.data.examples import SOFT_CLASSES, SOFT_PROBABILITIES
from resflax.data.shard_writing import CHECKSUMS, write_shards


class Encoded(NamedTuple):
  """One example to write.

  Attributes:
    image: the encoded file.
    label: index into the class names.
    source: where it came from, for messages.
    soft: likeliest classes and their probabilities, the likeliest first.
  """

  image: bytes
  label: int
  source: str
  soft: tuple[Sequence[int], Sequence[float]] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(About):
  """Splits of encoded images with one label each, to write in this order.

  Attributes:
    splits: by name, each a function that yields its examples once.
    data_dir: TFDS's folder.
  """

  splits: Mapping[str, Callable[[], Iterator[Encoded]]]
  data_dir: str


def write(images: Images) -> None:
  """Writes the data set and the checksums of its files, all or nothing.

  Raises:
    UsageError: a class name that TFDS cannot keep.
    StorageError: it cannot be written, or another process is writing it.
    ResflaxError: of the examples.
  """
  check_class_names(images.class_names)
  path = os.path.join(images.data_dir, images.name, images.version)
  splits, digests = {}, {}
  with whole_folder(path) as folder:
    for split, make in images.splits.items():
      shards = write_shards(
        os.path.join(folder, split), map(serialized, make())
      )
      names = shard_names_of(images.name, split, len(shards))
      for shard, name in zip(shards, names, strict=True):
        os.rename(shard.path, os.path.join(folder, name))
        digests[name] = shard.sha256
      splits[split] = shards
    describe(images, splits, folder)
    write_json(os.path.join(folder, CHECKSUMS), digests)


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


def serialized(example: Encoded) -> bytes:
  """Returns an example as it is kept."""
  proto = tf_example_pb2.Example()
  fields = proto.features.feature
  fields['image'].bytes_list.value.append(example.image)
  fields['label'].int64_list.value.append(example.label)
  # Names of files may be any bytes.
  fields['source'].bytes_list.value.append(os.fsencode(example.source))
  if example.soft:
    classes, probabilities = example.soft
    fields[SOFT_CLASSES].int64_list.value.extend(classes)
    fields[SOFT_PROBABILITIES].float_list.value.extend(probabilities)
    fields['confidence'].float_list.value.append(probabilities[0])
  return proto.SerializeToString(deterministic=True)
