"""The names of timm's ResNets, which grew from torchvision's.

Source: timm 1.0.31, `timm/models/resnet.py`; its EfficientNets are in
  `resflax.weights.timm_efficientnet`.
"""

from collections.abc import Mapping

from resflax.efficientnets import is_efficientnet
from resflax.weights import timm_efficientnet

# What its models of these names are; one with another value computes
# something else from the same tensors.
FAMILY = {
  'stem': ('conv7x7', 'deep', 'deep_strided'),
  'branch': ('basic', 'bottleneck_b'),
  'shortcut': ('projection', 'avg_pool'),
  'activation': ('relu',),
  'padding': ('symmetric',),
  'epsilon': (1e-5,),
}
FAMILIES = (FAMILY, timm_efficientnet.FAMILY)

_LEAVES = {
  'kernel': 'weight',
  'scale': 'weight',
  'bias': 'bias',
  'mean': 'running_mean',
  'var': 'running_var',
}
# A deep stem is a sequence of convolution, norm and activation, whose last
# norm is the plain stem's, and whose fourth convolution is the pooling.
_STEM = {
  ('conv1', 'conv'): 'conv1.0',
  ('conv1', 'norm'): 'conv1.1',
  ('conv2', 'conv'): 'conv1.3',
  ('conv2', 'norm'): 'conv1.4',
  ('conv3', 'conv'): 'conv1.6',
  ('conv3', 'norm'): 'bn1',
  ('conv4', 'conv'): 'maxpool.0',
  ('conv4', 'norm'): 'maxpool.1',
}
_PLAIN_STEM = {('conv1', 'conv'): 'conv1', ('conv1', 'norm'): 'bn1'}
_GATES = {'reduce': 'fc1', 'expand': 'fc2'}


def name(path: str, fields: Mapping) -> str:
  """Returns the name of our tensor at `path` in a model of these fields."""
  _, *module, leaf = path.split('/')
  if is_efficientnet(fields):
    theirs = timm_efficientnet.module_name(module)
  else:
    theirs = _module(module, fields)
  return f'{theirs}.{_LEAVES[leaf]}'


def _module(module: list[str], fields: Mapping) -> str:
  match module:
    case ['head']:
      return 'fc'
    case ['stem', conv, kind]:
      deep = fields['stem'] in ('deep', 'deep_strided')
      return (_STEM if deep else _PLAIN_STEM)[conv, kind]
    case [stage, block, 'branch', conv, kind]:
      number = conv.removeprefix('conv')
      return (
        f'{_block(stage, block)}.{"bn" if kind == "norm" else kind}{number}'
      )
    case [stage, block, 'shortcut', kind]:
      # The pooling, or the identity in its place, is number 0.
      pooled = fields['shortcut'] == 'avg_pool'
      return f'{_block(stage, block)}.downsample.{pooled + (kind == "norm")}'
    case [stage, block, 'se', gate]:
      return f'{_block(stage, block)}.se.{_GATES[gate]}'
  raise ValueError(module)


def _block(stage: str, block: str) -> str:
  number = int(block.removeprefix('block')) - 1
  return f'layer{stage.removeprefix("stage")}.{number}'
