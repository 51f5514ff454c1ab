"""What is exported: from the pixels of a picture to logits.

Preprocessing that needs no picture file is a part of it, so whoever loads the
file cannot get it wrong.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, UInt8

from resflax.models import build_model
from resflax.models.layout import unstack
from resflax.runs import Preprocessing, Run
from resflax.training.batch import Normalise
from resflax.variants import changes
from resflax.weights import Metadata
from resflax.weights.tensors import classes_of

Pixels = UInt8[np.ndarray | Array, 'batch height width channels']
Logits = Float[Array, 'batch classes']


@dataclasses.dataclass(frozen=True)
class Classifier:
  """A net in float32, block by block, and what belongs to it.

  Attributes:
    model: the linen module.
    variables: its own.
    preprocessing: of a picture.
    metadata: the same and the class names, as files of weights hold them.
    step: updates the variables have had.
  """

  model: Any
  variables: Mapping
  preprocessing: Preprocessing
  metadata: Metadata
  step: int

  def logits(self, variables: Mapping, images: Pixels) -> Logits:
    """Returns the logits of images as they come from a decoder, 0 to 255."""
    normalise = Normalise(self.preprocessing.mean, self.preprocessing.std)
    return self.model.apply(variables, normalise(images), train=False)

  def __call__(self, images: Pixels) -> Logits:
    return jax.jit(self.logits)(self.variables, images)

  @property
  def image(self) -> tuple[int, int, int]:
    """Height, width and channels of an input."""
    side = self.preprocessing.resolution
    return (side, side, self.preprocessing.channels)

  @property
  def description(self) -> dict:
    """What a user of the file has to know, as JSON takes it."""
    return {
      'input': {
        'shape': ['batch', *self.image],
        'dtype': 'uint8',
        'range': [0, 255],
        'channels': 'RGB' if self.preprocessing.channels == 3 else 'grey',
      },
      'output': {'shape': ['batch', self.num_classes], 'dtype': 'float32'},
      'normalised_inside': {
        'mean': self.preprocessing.mean,
        'std': self.preprocessing.std,
      },
      'crop': self.preprocessing.crop,
      'class_names': self.metadata.class_names,
      'model': self.metadata.all_fields,
      'step': self.step,
    }

  @property
  def num_classes(self) -> int:
    """Of the logits."""
    return self.model.num_classes


def of_run(run: Run) -> Classifier:
  """Returns the classifier of a run, at the resolution it is tested at.

  In float32 and without loops over blocks, whatever the run computed in.
  """
  fields = run.config['model']
  preprocessing = run.preprocessing
  metadata = Metadata(
    model=fields['variant'],
    fields=changes(fields, fields['variant']),
    class_names=run.class_names,
    # Weights of others that made no step here do not keep what they say.
    resolution=run.config['resolution']['train'] if run.step else None,
    test_resolution=preprocessing.resolution,
    crop=preprocessing.crop,
    interpolation='bilinear',  # as `data.crops.resize` does
    mean=preprocessing.mean,
    std=preprocessing.std,
  )
  variables = jax.tree.map(np.asarray, unstack(run.variables))
  # Operations that every runtime knows: none depends on the platform.
  plain = {**metadata.all_fields, 'conv': 'xla'}
  model = build_model(plain, num_classes=classes_of(variables))
  return Classifier(model, variables, preprocessing, metadata, run.step)
