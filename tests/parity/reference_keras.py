"""The models of keras.applications and of tf_keras.applications."""

from collections.abc import Mapping

import keras
import numpy as np
import tf_keras
from tf_keras.applications import resnet_rs

from tests.parity.cases import Case
from tests.parity.drawing import CLASSES


class Keras:
  """A Keras model; ResNet-RS is in tf_keras alone.

  Attributes:
    shapes: of all its tensors, as `layer/weight`.
  """

  def __init__(self, case: Case):
    is_rs = case.theirs.startswith('ResNetRS')
    self.library = tf_keras if is_rs else keras
    kwargs = {'include_preprocessing': False} if is_rs else {}
    builders = resnet_rs if is_rs else keras.applications
    self.model = getattr(builders, case.theirs)(
      weights=None,
      classes=CLASSES,
      classifier_activation=None,
      input_shape=(case.size, case.size, 3),
      **kwargs,
    )
    # The number in the stem's names counts models.
    self.weights = {
      f'{_stem(layer.name)}/{weight.name.split("/")[-1].split(":")[0]}': weight
      for layer in self.model.layers
      for weight in layer.weights
    }
    self.shapes = {name: tuple(w.shape) for name, w in self.weights.items()}
    # ResNet50 and its kin take images of three channels the other way round.
    self.channels = slice(None) if is_rs else slice(None, None, -1)
    self.stages = (
      [f'BlockGroup{n}__block_{{}}__output_act' for n in (2, 3, 4, 5)]
      if is_rs
      else [f'conv{n}_block{{}}_out' for n in (2, 3, 4, 5)]
    )

  def load(self, tensors: Mapping[str, np.ndarray]) -> None:
    for name, array in tensors.items():
      self.weights[name].assign(array)

  def run(self, images: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns logits and the outputs of stages."""
    outputs = [self._last(pattern).output for pattern in self.stages]
    model = self.library.Model(self.model.input, [self.model.output, *outputs])
    logits, *stages = model(images[..., self.channels], training=False)
    return np.asarray(logits), [np.asarray(stage) for stage in stages]

  def save(self, folder: str) -> list[str]:
    """Writes the files that people have."""
    paths = [f'{folder}/model.h5']
    self.model.save(paths[0])
    if self.library is keras:
      paths += [f'{folder}/model.keras', f'{folder}/x.weights.h5']
      self.model.save(paths[1])
    else:
      paths += [f'{folder}/weights.h5']
    self.model.save_weights(paths[-1])
    return paths

  def _last(self, pattern: str):
    """Returns the layer with the highest number."""
    names = {layer.name for layer in self.model.layers}
    numbers = [n for n in range(200) if pattern.format(n) in names]
    return self.model.get_layer(pattern.format(numbers[-1]))


def _stem(name: str) -> str:
  head, _, rest = name.partition('_stem_')
  return f'stem_1_stem_{rest}' if head.startswith('stem_') else name
