"""Weights of a file as something to classify with, like a run of our own."""

import os

from resflax.config import Facts, resolve
from resflax.data.class_maps import NO_NAME
from resflax.data.records import Dataset, DatasetInfo, Records
from resflax.data.splits import default_splits
from resflax.errors import UsageError
from resflax.parallel import mesh as meshes
from resflax.runs import Run
from resflax.training.assemble import build
from resflax.training.initial import fields_of
from resflax.weights.loading import Weights, read_weights
from resflax.weights.tensors import channels_of, classes_of


class NoDataset:
  """Stands where weights come without the data they were trained on."""

  def __init__(self, info: DatasetInfo):
    """Takes the description: classes and channels."""
    self.info = info

  def split(self, spec: str) -> Records:
    """Has none.

    Raises:
      UsageError: always.
    """
    raise UsageError(
      f'{self.info.name} come without a data set: give a --dataset.'
    )


def load_pretrained(
  path: str | os.PathLike,
  *,
  model: str | None = None,
  source: str = 'auto',
  dataset: Dataset | None = None,
  resolution: int | None = None,
) -> Run:
  """Returns weights as a run that has not made a step.

  What the file says of preprocessing is what is used.

  Args:
    path: of the weights, see `resflax.weights.load_weights`.
    model: a variant's name; None = the one that the file names.
    source: whose names they are; auto = by the names.
    dataset: of these classes, which it names.
    resolution: of the test, in pixels, where the file does not say.

  Raises:
    UsageError: the weights do not fit the model or the data set, or nobody
      says at which resolution.
    DataError: the file is damaged.
  """
  weights = read_weights(model, path, source)
  says = weights.metadata
  resolution = resolution or says.test_resolution or says.resolution
  if resolution is None:
    raise UsageError(
      f'{path} does not say at which resolution it is tested: give one, such '
      'as 224 for ImageNet (--resolution).'
    )
  variables = weights.variables()
  classes, channels = classes_of(variables), channels_of(variables)
  own = _described(weights, classes, channels)
  info = own if dataset is None else dataset.info
  if (classes, channels) != (info.num_classes, info.channels):
    raise UsageError(
      f'{path} tells {classes} classes apart in images of {channels} channels, '
      f'and {info.name} has {info.num_classes} and {info.channels}: give a '
      '--dataset of these, or fine-tune the weights.'
    )
  mesh = meshes.make_mesh()
  config = {
    'model': says.all_fields,
    'batch_size': 128 * mesh.size,
    'schedule': {'total_steps': 1},
    'resolution': {
      'test': resolution,
      **({'test_crop': says.crop} if says.crop else {}),
    },
  }
  resolved = resolve(config, _facts(weights, dataset, mesh))
  setup = build(resolved, dataset or NoDataset(info), mesh)
  return Run(setup, setup.from_blocks(variables), step=0)


def _facts(weights: Weights, dataset: Dataset | None, mesh) -> Facts:
  splits = {}
  if dataset is not None and 'train' in dataset.info.splits:
    splits = default_splits(dataset.info).by_field
  platform = mesh.devices.flat[0].platform
  return Facts(1, splits, 'default', platform, fields_of(weights))


def _described(weights: Weights, classes: int, channels: int) -> DatasetInfo:
  """Describes what the weights were trained on, as far as they say."""
  named = weights.metadata.class_names
  return DatasetInfo(
    name=f'The weights of {weights.path}',
    version='',
    class_names=named or tuple(NO_NAME.format(i) for i in range(classes)),
    channels=channels,
    splits={},
  )
