"""Existing TFRecord copies of TFDS data sets, as ArrayRecord."""

import json
import os
import shutil
from importlib.util import find_spec

import tensorflow_datasets as tfds
from tensorflow_datasets.core import file_adapters
from tensorflow_datasets.core.utils import py_utils

from resflax.data.passes import tracked
from resflax.data.prepared import PreparedDataset, default_dir
from resflax.data.writing import quiet, write_json
from resflax.errors import UsageError
from resflax.paths import absolute

_INFO = 'dataset_info.json'
_FORMATS = file_adapters.ADAPTER_FOR_FORMAT
_FROM, _TO = tfds.core.FileFormat.TFRECORD, tfds.core.FileFormat.ARRAY_RECORD


def convert(
  from_dir: str, data_dir: str | None = None
) -> tuple[PreparedDataset, bool]:
  """Copies each TFRecord file of a version to an ArrayRecord file.

  Nothing is downloaded, and no image is decoded. A file appears when it is
  whole, so a conversion that was cut off goes on where it was. It reads and
  writes with TFDS's adapters; TFDS's own converter needs Beam, and forgets the
  names of the classes.

  Args:
    from_dir: the folder of a version, such as DATA/imagenet2012/5.1.0.
    data_dir: where the copy goes, another TFDS folder than `from_dir` is in;
      None is TFDS's default.

  Returns:
    The data set, and whether it was there already.

  Raises:
    UsageError: `from_dir` is not such a folder or is in `data_dir`, or
      TensorFlow is missing.
  """
  source = absolute(from_dir)
  data_dir = absolute(data_dir or default_dir())
  info, name = _described(from_dir, source)
  target = os.path.join(data_dir, *name, info['version'])
  if os.path.realpath(target) == os.path.realpath(source):
    raise UsageError(
      f'{from_dir!r} is in {data_dir}, where the copy would go: give another '
      'folder (--data_dir).'
    )
  was_there = os.path.exists(os.path.join(target, _INFO))
  if not was_there:
    if find_spec('tensorflow') is None:
      raise UsageError(
        'Reading TFRecord needs TensorFlow, which training does not: '
        "pip install -e '.[tf]', then run this again."
      )
    _convert_files(source, target)
    _copy_description(source, target, info)
  full_name = f'{"/".join(name)}:{info["version"]}'
  return PreparedDataset(full_name, data_dir), was_there


def _described(from_dir: str, source: str) -> tuple[dict, list[str]]:
  """Returns what the folder says of itself, and the folders of its name."""
  path = os.path.join(source, _INFO)
  if not os.path.exists(path):
    raise UsageError(
      f'{from_dir!r} is not the folder of a version of a TFDS data set, such '
      f'as DATA/imagenet2012/5.1.0: it has no {_INFO} (--from_tfrecord).'
    )
  with open(path, encoding='utf-8') as file:
    info = json.load(file)
  if info.get('fileFormat', _FROM.value) != _FROM.value:
    raise UsageError(
      f'{from_dir!r} holds {info["fileFormat"]}, not {_FROM.value} '
      '(--from_tfrecord).'
    )
  return info, [info[key] for key in ('name', 'configName') if info.get(key)]


def _convert_files(source: str, target: str) -> None:
  os.makedirs(target, exist_ok=True)
  mark, new_mark = f'.{_FROM.file_suffix}-', f'.{_TO.file_suffix}-'
  files = sorted(name for name in os.listdir(source) if mark in name)
  for name in tracked(files, 'Converting'):
    path = os.path.join(target, name.replace(mark, new_mark))
    if os.path.exists(path):
      continue
    records = _FORMATS[_FROM].make_tf_data(os.path.join(source, name))
    numbered = enumerate(record.numpy() for record in records)
    with quiet(), py_utils.incomplete_file(tfds.core.Path(path)) as incomplete:
      _FORMATS[_TO].write_examples(incomplete, numbered)


def _copy_description(source: str, target: str, info: dict) -> None:
  """Copies what is not records; what makes the copy readable comes last."""
  for name in sorted(os.listdir(source)):
    if name.endswith(('.json', '.txt')) and name != _INFO:
      shutil.copy(os.path.join(source, name), target)
  write_json(os.path.join(target, _INFO), {**info, 'fileFormat': _TO.value})
