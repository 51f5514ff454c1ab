"""Existing TFRecord copies of TFDS data sets, as ArrayRecord."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

import tensorflow_datasets as tfds
from tensorflow_datasets.core import file_adapters, naming, read_only_builder

from resflax.atomic import made_folders
from resflax.data.local import storing, target_dir
from resflax.data.passes import tracked
from resflax.data.prepared import PreparedDataset, find_keys
from resflax.data.shard_writing import CHECKSUMS, checksums
from resflax.data.shards import shard_faults
from resflax.data.writing import quiet, write_json
from resflax.errors import DataError, UsageError
from resflax.paths import absolute

_INFO = 'dataset_info.json'
_FORMATS = file_adapters.ADAPTER_FOR_FORMAT
_FROM, _TO = tfds.core.FileFormat.TFRECORD, tfds.core.FileFormat.ARRAY_RECORD


class Shard(NamedTuple):
  """A file to convert.

  Attributes:
    source: the TFRecord file.
    filename: the ArrayRecord file.
    examples_in_shard: how many both hold.
  """

  source: str
  filename: str
  examples_in_shard: int


def convert(
  from_dir: str, data_dir: str | None = None
) -> tuple[PreparedDataset, bool]:
  """Copies each TFRecord file of a version to an ArrayRecord file.

  Nothing is downloaded, and no image is decoded. A file appears when it is
  whole and has as many examples as the set says; those that are there are
  counted. So the same command goes on where a conversion was cut off, and
  mends a copy. It reads and writes with TFDS's adapters; TFDS's own converter
  needs Beam, and forgets the names of the classes.

  Args:
    from_dir: the folder of a version, such as DATA/imagenet2012/5.1.0.
    data_dir: where the copy goes, another TFDS folder than `from_dir` is in;
      None is TFDS's default.

  Returns:
    The data set, and whether it was there already.

  Raises:
    UsageError: `from_dir` is not such a folder or is in `data_dir`, or
      TensorFlow is missing.
    DataError: files of it are missing or damaged.
    StorageError: the copy cannot be written.
  """
  source, data_dir = absolute(from_dir), target_dir(data_dir)
  info = _described(from_dir, source)
  target = os.path.join(data_dir, info.full_name)
  if os.path.realpath(target) == os.path.realpath(source):
    raise UsageError(
      f'{from_dir!r} is in {data_dir}, where the copy would go: give another '
      'folder (--data_dir).'
    )
  shards = _shards(info, target)
  missing = [shard for shard, _ in shard_faults(shards)]
  was_there = not missing and _has_description(source, target)
  if not was_there:
    _check_sources(missing, len(shards))
    with storing(data_dir), made_folders(target):
      _write(missing, source, target)
  name, _, version = info.full_name.rpartition('/')
  return PreparedDataset(f'{name}:{version}', data_dir), was_there


def _described(from_dir: str, source: str) -> tfds.core.DatasetInfo:
  """Reads what the folder says of itself."""
  if not os.path.exists(os.path.join(source, _INFO)):
    raise UsageError(
      f'{from_dir!r} is not the folder of a version of a TFDS data set, such '
      f'as DATA/imagenet2012/5.1.0: it has no {_INFO} (--from_tfrecord).'
    )
  try:
    info = read_only_builder.builder_from_directory(source).info
  except Exception as error:  # of protobuf, or whatever a wrong value does
    raise DataError(
      f'The description of {from_dir!r} cannot be read '
      f'({" ".join(str(error).split())}): copy it again (--from_tfrecord).'
    ) from error
  if info.file_format == _TO:
    up = ['..'] * len(info.full_name.split('/'))
    root = os.path.normpath(os.path.join(source, *up))
    raise UsageError(
      f'{from_dir!r} holds {_TO.value}, which needs no conversion: use '
      f'--data_dir={root} instead of --from_tfrecord.'
    )
  if info.file_format != _FROM:
    raise UsageError(
      f'{from_dir!r} holds {info.file_format.value}, not {_FROM.value} '
      '(--from_tfrecord).'
    )
  find_keys(info)  # before hours of converting
  return info


def _shards(info: tfds.core.DatasetInfo, target: str) -> list[Shard]:
  shards = []
  for split in info.splits.values():
    ours = split.filename_template
    theirs = ours.replace(data_dir=target, filetype_suffix=_TO.file_suffix)
    shards += map(
      Shard,
      _paths(ours, split.num_shards),
      _paths(theirs, split.num_shards),
      split.shard_lengths,
    )
  return shards


def _paths(template: naming.ShardedFileTemplate, count: int) -> list[str]:
  return [os.fspath(path) for path in template.sharded_filepaths(count)]


def _check_sources(shards: list[Shard], total: int) -> None:
  """Looks whether all is there, before hours of converting."""
  missing = [s.source for s in shards if not os.path.isfile(s.source)]
  if not total:
    raise DataError(f'{_INFO} names no files: copy it again (--from_tfrecord).')
  if missing:
    raise DataError(
      f'{len(missing):,} of the {total:,} files that {_INFO} names are '
      f'missing, first {missing[0]}: copy them again (--from_tfrecord).'
    )
  if shards and find_spec('tensorflow') is None:
    raise UsageError(
      'Reading TFRecord needs TensorFlow, which training does not: '
      "pip install -e '.[tf]', then run this again."
    )


def _write(shards: list[Shard], source: str, target: str) -> None:
  """Writes files and description; what makes them readable comes last."""
  info_path = os.path.join(target, _INFO)
  with contextlib.suppress(FileNotFoundError):
    os.remove(info_path)
  for shard in tracked(shards, 'Converting'):
    _convert_file(shard)
  write_json(os.path.join(target, CHECKSUMS), checksums(target))
  for name in _description(source):
    shutil.copy(os.path.join(source, name), target)
  with open(os.path.join(source, _INFO), encoding='utf-8') as file:
    info = json.load(file)
  write_json(info_path, {**info, 'fileFormat': _TO.value})


def _convert_file(shard: Shard) -> None:
  incomplete = f'{shard.filename}.tmp'
  try:
    with quiet():
      _FORMATS[_TO].write_examples(incomplete, _examples(shard))
    os.replace(incomplete, shard.filename)
  finally:
    with contextlib.suppress(FileNotFoundError):
      os.remove(incomplete)


def _examples(shard: Shard) -> Iterator[tuple[int, bytes]]:
  """Yields the examples of a file, which must be as many as the set says."""
  count = 0
  try:
    for record in _FORMATS[_FROM].make_tf_data(shard.source):
      count += 1
      yield count, record.numpy()
  except Exception as error:  # TensorFlow's, which is not imported here
    raise DataError(
      f'{shard.source} cannot be read ({" ".join(str(error).split())}): copy '
      'it again (--from_tfrecord).'
    ) from error
  if count != shard.examples_in_shard:
    raise DataError(
      f'{shard.source} holds {count:,} examples and should hold '
      f'{shard.examples_in_shard:,}: copy it again (--from_tfrecord).'
    )


def _description(source: str) -> list[str]:
  """Returns the names of the files that are copied as they are."""
  return [
    name
    for name in sorted(os.listdir(source))
    if name.endswith(('.json', '.txt')) and name not in (_INFO, CHECKSUMS)
  ]


def _has_description(source: str, target: str) -> bool:
  names = [*_description(source), CHECKSUMS, _INFO]
  return all(os.path.exists(os.path.join(target, name)) for name in names)
