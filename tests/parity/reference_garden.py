"""The ResNet-RS of TF Model Garden."""

import importlib.util
import pathlib
import sys
import tempfile
import types
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from resflax.weights.garden import prepare
from resflax.weights.reading import read
from tests.parity.cases import Case
from tests.parity.drawing import CLASSES


def _import():
  """Imports two modules without what their packages import.

  Those want pycocotools and a dozen more.
  """
  root = pathlib.Path(importlib.util.find_spec('official').origin).parent
  for name in ('vision', 'vision/modeling', 'vision/modeling/backbones'):
    _empty_package(root / name)
  _empty_package(root / 'vision/modeling/layers')
  from official.vision.modeling import classification_model
  from official.vision.modeling.backbones import resnet

  return classification_model, resnet


def _empty_package(folder: pathlib.Path) -> None:
  parts = folder.parts[folder.parts.index('official') :]
  module = types.ModuleType('.'.join(parts))
  module.__path__ = [str(folder)]
  sys.modules.setdefault(module.__name__, module)


class Garden:
  """A model as `imagenet_resnetrs*.yaml` configures it.

  Attributes:
    shapes: of all its tensors, by the names of its checkpoints.
  """

  def __init__(self, case: Case):
    classification_model, resnet = _import()
    specs = tf_keras.layers.InputSpec(shape=[None, case.size, case.size, 3])
    self.backbone = resnet.ResNet(
      int(case.theirs.split('-')[-1]),
      specs,
      stem_type='v1',
      resnetd_shortcut=True,
      replace_stem_max_pool=True,
      se_ratio=0.25,
      scale_stem=True,
      activation='swish',
      norm_momentum=0.0,
      norm_epsilon=1e-5,
    )
    self.model = classification_model.ClassificationModel(
      self.backbone, num_classes=CLASSES + 1, input_specs=specs
    )
    self.saved = tf.train.Checkpoint(
      model=self.model, **self.model.checkpoint_items
    )
    self.weights = self._names()
    self.shapes = {name: tuple(w.shape) for name, w in self.weights.items()}

  def _names(self) -> dict:
    """Returns variables by their names in a checkpoint of their numbers."""
    variables = self.model.variables
    for number, variable in enumerate(variables):
      variable.assign(tf.fill(variable.shape, float(number)))
    with tempfile.TemporaryDirectory() as folder:
      prefix = self.saved.write(f'{folder}/numbers')
      numbers = prepare(read(prefix).tensors)
    return {name: variables[int(a.flat[0])] for name, a in numbers.items()}

  def load(self, tensors: Mapping[str, np.ndarray]) -> None:
    for name, array in tensors.items():
      self.weights[name].assign(array)

  def run(self, images: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns logits and the outputs of stages."""
    endpoints = self.backbone(images, training=False)
    stages = [endpoints[level].numpy() for level in '2345']
    return self.model(images, training=False).numpy(), stages

  def save(self, folder: str) -> list[str]:
    """Writes checkpoints as training does."""
    whole = self.saved.write(f'{folder}/whole')
    alone = tf.train.Checkpoint(model=self.model).write(f'{folder}/alone')
    return [whole, alone]
