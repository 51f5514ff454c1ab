"""Weights and images that anybody can draw again, by name and shape."""

import zlib
from collections.abc import Mapping

import numpy as np

from resflax.efficientnets import is_efficientnet
from resflax.variants import complete
from resflax.weights.sources import SOURCES
from resflax.weights.tensors import shapes

CLASSES = 10
IMAGES = 2
AMPLITUDE = 8  # of images: swish lets what is larger pass, as a ReLU does


def draw(
  name: str, path: str, shape: tuple[int, ...], last: str = ''
) -> np.ndarray:
  """Returns a tensor of our shape, drawn by the name it has at its source.

  Scaled so that in a deep net neither the image nor a bias is lost: kernels
  keep the variance of what a ReLU lets pass, and a branch adds a twentieth of
  what its block carries.

  Args:
    name: the seed.
    path: what it is.
    shape: [.., inputs, outputs] of a kernel.
    last: the last convolution of a branch.
  """
  generator = np.random.default_rng(zlib.crc32(name.encode()))
  if path.endswith(('/var', '/scale')):
    positive = generator.uniform(0.5, 1.5, shape).astype(np.float32)
    is_last = last and path.endswith(f'{last}/norm/scale')
    return positive * np.float32(0.15 if is_last else 1)
  noise = generator.standard_normal(shape, np.float32)
  if path.endswith('/kernel'):
    return noise * np.float32(np.sqrt(2 / np.prod(shape[:-1])))
  return noise * np.float32(0.3)


def images(size: int) -> np.ndarray:
  """Returns images [batch, height, width, channels] of large, noisy tiles."""
  generator = np.random.default_rng(size)
  tiles = generator.standard_normal((IMAGES, 4, 4, 3), np.float32)
  place = np.arange(size) * 4 // size
  noise = generator.standard_normal((IMAGES, size, size, 3), np.float32)
  return AMPLITUDE * (tiles[:, place][:, :, place] + noise / 2)


def tensors(source: str, ours: str | Mapping) -> dict[str, np.ndarray]:
  """Returns all weights of a source's model, as it names them."""
  fields, classes = complete(ours), CLASSES + (source == 'garden')
  row, found = SOURCES[source], {}
  wanted = shapes(fields, num_classes=classes, channels=3)
  for path, shape in wanted.items():
    name, last = row.name(path, fields), _last(fields, path)
    found[name] = row.layout.to_theirs(path, draw(name, path, shape, last))
  if source == 'keras' and 'conv1_conv/kernel' in found:
    for kernel in [n for n in found if n.endswith('_conv/kernel')]:
      bias = kernel.replace('kernel', 'bias')  # which we have no place for
      found[bias] = draw(bias, bias, found[kernel].shape[-1:])
  return found


def _last(fields: Mapping, path: str) -> str:
  """Returns the last convolution of the branch that a tensor lies in."""
  if not is_efficientnet(fields):
    return f'branch/conv{2 if fields["branch"] == "basic" else 3}'
  # The first block of a stage has no shortcut to carry anything.
  return '' if '/block1/' in path else 'project'
