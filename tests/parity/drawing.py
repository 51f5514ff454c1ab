"""Weights and images that anybody can draw again, by name and shape."""

import zlib
from collections.abc import Mapping

import numpy as np

from resflax.variants import complete
from resflax.weights.converting import to_theirs
from resflax.weights.tensors import shapes

CLASSES = 10
IMAGES = 2


def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Returns the tensor of a name.

  Kernels are small enough for branches to add a twentieth of the variance
  that their blocks carry, so that a deep net stays in range and every layer
  shows in the logits.
  """
  generator = np.random.default_rng(zlib.crc32(name.encode()))
  if name.endswith(('running_var', 'moving_variance', 'gamma')):
    return generator.uniform(0.5, 1.5, shape).astype(np.float32)
  noise = generator.standard_normal(shape, np.float32)
  if len(shape) > 1:
    torch = name.endswith('.weight')
    inputs = np.prod(shape[1:] if torch else shape[:-1])
    return noise * np.float32(0.75 / np.sqrt(inputs))
  if name.endswith('.weight'):  # torch's scale
    return 1 + np.clip(noise, -2, 2) * np.float32(0.25)
  return noise * np.float32(0.1)


def images(size: int) -> np.ndarray:
  """Returns images [batch, height, width, channels]."""
  shape = (IMAGES, size, size, 3)
  return np.random.default_rng(size).standard_normal(shape, np.float32)


def tensors(source: str, ours: str | Mapping) -> dict[str, np.ndarray]:
  """Returns all weights of a source's model, as it names them."""
  fields, classes = complete(ours), CLASSES + (source == 'garden')
  wanted: Mapping = shapes(fields, num_classes=classes, channels=3)
  nothing = {path: np.broadcast_to(0, shape) for path, shape in wanted.items()}
  found = {
    name: array.shape
    for name, array in to_theirs(nothing, fields, source).items()
  }
  if source == 'keras' and 'conv1_conv/kernel' in found:
    found |= {  # which we have no place for
      name.replace('kernel', 'bias'): shape[-1:]
      for name, shape in found.items()
      if name.endswith('_conv/kernel')
    }
  return {name: draw(name, shape) for name, shape in found.items()}
