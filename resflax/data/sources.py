"""A data set by its name, or from arrays in memory."""

import os

from resflax.data.builders import is_bundled, prepare_bundled
from resflax.data.folders import FolderDataset
from resflax.data.images import load_folder
from resflax.data.local import storing
from resflax.data.memory import ArrayDataset
from resflax.data.names import (
  NotPreparedError,
  UnknownNameError,
  default_dir,
)
from resflax.data.prepared import PreparedDataset
from resflax.data.records import Dataset
from resflax.errors import UsageError
from resflax.paths import absolute

__all__ = ['ArrayDataset', 'load_dataset']

FOLDER = 'folder:'
PSEUDO = 'pseudo:'


def load_dataset(
  name: str,
  data_dir: str | None = None,
  *,
  labelled: bool = True,
  several: bool = False,
) -> Dataset:
  """Opens a data set for reading, without TensorFlow.

  Args:
    name: a TFDS name (`cifar10`, `emnist/balanced`, `cifar10:3.0.2`) that has
      been prepared as ArrayRecord, `folder:DIR` for a folder of class folders,
      or `pseudo:DIR` for what `scripts.pseudo_label --out=DIR` wrote. `digits`
      prepares itself in a local folder.
    data_dir: where TFDS keeps its data, a local folder or gs://; by default
      `$TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
    labelled: whether examples need a label; where not, a folder may hold
      images in any order.
    several: whether examples of a TFDS set may have several labels, which
      evaluation can use and training cannot.

  Raises:
    UsageError: an unknown name, a set that is not prepared or does not
      classify images, a folder that is not one of class folders.
    StorageError: a bucket that cannot be read, a folder that cannot be
      written to.
  """
  if name.startswith(FOLDER):
    load = FolderDataset if labelled else load_folder
    return load(name.removeprefix(FOLDER))
  if name.startswith(PSEUDO):
    return _pseudo(absolute(name.removeprefix(PSEUDO).rstrip('/')), labelled)
  data_dir = absolute(data_dir or default_dir())
  try:
    return PreparedDataset(name, data_dir, labelled=labelled, several=several)
  except NotPreparedError:
    if not is_bundled(name) or '://' in data_dir:
      raise
  with storing(data_dir):
    prepare_bundled(name, data_dir)
  return PreparedDataset(name, data_dir, labelled=labelled)


def _pseudo(folder: str, labelled: bool) -> Dataset:
  data_dir, name = os.path.split(folder)
  try:
    return PreparedDataset(name, data_dir, labelled=labelled)
  except (NotPreparedError, UnknownNameError) as error:
    raise UsageError(
      f'{PSEUDO}{folder} is not there, or not whole: write it with python -m '
      f'scripts.pseudo_label --out={folder}'
    ) from error
