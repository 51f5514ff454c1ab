"""Writing a TFDS data set to disk, once, as ArrayRecord.

The one part of the data that needs TensorFlow, because the stock builders
encode images with it. Reading does not.
"""

import os
import re
from importlib.util import find_spec

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.extractor import ExtractError

from resflax.data.builders import is_bundled, prepare_bundled
from resflax.data.local import is_of_storage, storing, target_dir
from resflax.data.prepared import NotPreparedError, PreparedDataset, find_keys
from resflax.errors import DataError, ResflaxError, UsageError


def prepare(
  name: str, data_dir: str | None = None, from_dir: str | None = None
) -> tuple[PreparedDataset, bool]:
  """Prepares a data set where that was not done before.

  Args:
    name: a TFDS name, as for `load_dataset`.
    data_dir: where TFDS keeps its data; None is TFDS's default.
    from_dir: read the original files from here instead of downloading them:
      for sets that must be fetched by hand, and for MNIST and its kin.

  Returns:
    The data set, and whether it was there already.

  Raises:
    UsageError: an unknown name, TensorFlow or the original files missing.
    DataError: a download failed.
    StorageError: the data cannot be written.
  """
  data_dir = target_dir(data_dir)
  if from_dir is not None:
    _check_from_dir(name, from_dir)
  try:
    return PreparedDataset(name, data_dir), True
  except NotPreparedError:
    pass
  with storing(data_dir):
    if is_bundled(name):
      prepare_bundled(name, data_dir)
    else:
      _prepare_stock(name, data_dir, from_dir)
  return PreparedDataset(name, data_dir), False


def _check_from_dir(name: str, from_dir: str) -> None:
  """Refuses a folder without effect, even where nothing is to be prepared."""
  if is_bundled(name):
    raise UsageError(f'{name} has no original files: leave out --from_dir.')
  if not os.path.isdir(from_dir):
    raise UsageError(f'No folder {from_dir!r} (--from_dir).')


def _prepare_stock(name: str, data_dir: str, from_dir: str | None) -> None:
  if find_spec('tensorflow') is None:
    raise UsageError(
      f'Preparing {name} needs TensorFlow, which training does not: '
      "pip install -e '.[tf]', then run this again."
    )
  builder = _builder(name, data_dir)
  manual_dir = _find_originals(builder, data_dir, from_dir)
  try:
    builder.download_and_prepare(
      download_config=tfds.download.DownloadConfig(manual_dir=manual_dir),
      file_format='array_record',
    )
  except Exception as error:
    explained = _explained(error, name, data_dir)
    if explained is None:
      raise
    raise explained from error


def _builder(name: str, data_dir: str):
  try:
    builder = tfds.builder(name, data_dir=data_dir, file_format='array_record')
  except (AssertionError, ValueError) as error:  # no such version or config
    raise UsageError(f'Cannot prepare {name}: {_one_line(error)}') from error
  find_keys(builder.info)  # before hours of downloading
  return builder


def _find_originals(builder, data_dir: str, from_dir: str | None) -> str | None:
  """Points the builder to the original files; returns TFDS's manual folder."""
  if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
    manual = from_dir or os.path.join(data_dir, 'downloads', 'manual')
    if not os.path.isdir(manual):
      raise UsageError(
        f'{builder.name} must be fetched by hand: '
        f'{_one_line(builder.MANUAL_DOWNLOAD_INSTRUCTIONS)} Then add '
        '--from_dir=DIR, the folder where its files are.'
      )
    return manual
  if from_dir is not None:
    kin = tfds.image_classification
    if type(builder) not in (kin.MNIST, kin.FashionMNIST, kin.KMNIST):
      raise UsageError(
        f'--from_dir cannot be used for {builder.name}, which downloads its '
        'files itself; it is for mnist, fashion_mnist, kmnist and sets that '
        'must be fetched by hand.'
      )
    # They join it with the names of four files, as part of a URL.
    type(builder).URL = os.path.join(os.path.abspath(from_dir), '')
  return None


def _explained(
  error: Exception, name: str, data_dir: str
) -> ResflaxError | None:
  """Turns what goes wrong with the originals into an error of one line."""
  message = f'Cannot prepare {name} in {data_dir}: {_one_line(error)}'
  package = type(error).__module__.split('.')[0]
  if package in ('requests', 'urllib3') or isinstance(
    error, tfds.download.DownloadError
  ):
    return DataError(message)
  if package == 'tensorflow' and type(error).__name__ == 'NotFoundError':
    return UsageError(f'{message} (--from_dir)')
  if isinstance(error, ExtractError) and not is_of_storage(error):
    return DataError(
      f'{message}: delete {data_dir}/downloads, and give a whole file.'
    )
  return None


def _one_line(text: object) -> str:
  return re.sub(r'\s+', ' ', str(text)).strip()[:500]
