"""Small nets with random weights."""

from resflax.variants import changes
from resflax.weights import Metadata, save_weights
from resflax.weights.tensors import nest
from tests.weights.conftest import random, tiny


def write(folder, variant='resnet20_cifar', changed=(), **metadata):
  """Writes a tiny model's weights and returns their path."""
  fields = tiny(variant, **({'width': 0.25} if 'resnext' in variant else {}))
  fields |= dict(changed)
  known = {'resolution': 20, 'mean': (0.5, 0.4, 0.3), 'std': (0.2, 0.2, 0.1)}
  path = folder / f'{variant}.safetensors'
  save_weights(
    path,
    nest(random(fields)),
    Metadata(variant, fields=changes(fields, variant), **known | metadata),
  )
  return path
