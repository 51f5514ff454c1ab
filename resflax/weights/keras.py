"""The names of `keras.applications`: ResNet50, 101, 152 and the ResNet-RS.

Source: Keras 3.15, `keras/src/applications/resnet.py`; tf_keras 2.21,
  `tf_keras/applications/resnet_rs.py`.
"""

import re
from collections.abc import Mapping

import numpy as np

_COMMON = {
  'activation': ('relu',),
  'padding': ('symmetric',),
  'cardinality': (1,),
  'epsilon': (1e-5,),
}
FAMILIES = (
  _COMMON  # its ResNet50 is the original of 2015
  | {
    'stem': ('conv7x7',),
    'branch': ('bottleneck',),
    'shortcut': ('projection',),
    'se_ratio': (0.0,),
  },
  _COMMON
  | {
    'stem': ('deep_strided',),
    'branch': ('bottleneck_b',),
    'shortcut': ('avg_pool',),
  },
)

NORM = {
  'scale': 'gamma',
  'bias': 'beta',
  'mean': 'moving_mean',
  'var': 'moving_variance',
}
# Of ResNet50's kin, whose norms add another epsilon than everybody's.
_EPSILON = np.float64(1.001e-5) - 1e-5


def name(path: str, fields: Mapping) -> str:
  """Returns the name of our tensor at `path`, after `prepare`."""
  _, *module, leaf = path.split('/')
  is_rs = fields['stem'] == 'deep_strided'
  theirs = (_rs if is_rs else _resnet)(module)
  return f'{theirs}/{NORM[leaf] if module[-1] == "norm" else leaf}'


def prepare(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns tensors for norms of epsilon 1e-5, RGB and no convolution's bias.

  A bias before a norm moves its mean: (x + b) - mean = x - (mean - b).
  """
  # A count of the models made in the process that wrote the file.
  out = {re.sub(r'^stem_\d+_', 'stem_1_', n): a for n, a in tensors.items()}
  if 'conv1_conv/kernel' not in out:
    return out
  for bias in [n for n in out if n.endswith('_conv/bias')]:
    norm = bias.removesuffix('_conv/bias') + '_bn'
    mean, var = f'{norm}/moving_mean', f'{norm}/moving_variance'
    if mean in out and var in out:
      out[mean] = out[mean] - out.pop(bias)
      out[var] = (out[var] + _EPSILON).astype(np.float32)
  out['conv1_conv/kernel'] = out['conv1_conv/kernel'][:, :, ::-1]
  return out


def _resnet(module: list[str]) -> str:
  match module:
    case ['head']:
      return 'predictions'
    case ['stem', _, kind]:
      return f'conv1_{_kind(kind)}'
    case [stage, block, 'branch', conv, kind]:
      number = conv.removeprefix('conv')
    case [stage, block, 'shortcut', kind]:
      number = '0'
  return f'conv{_stage(stage)}_{block}_{number}_{_kind(kind)}'


def _rs(module: list[str]) -> str:
  match module:
    case ['head']:
      return 'predictions'
    case ['stem', conv, kind]:
      kind = 'batch_norm' if kind == 'norm' else kind
      return f'stem_1_stem_{kind}_{conv.removeprefix("conv")}'
  stage, block, *rest = module
  group = f'BlockGroup{_stage(stage)}__block_{int(block[5:]) - 1}'
  match rest:
    case ['branch', 'conv1', 'norm']:
      return f'{group}_batch_norm_1'  # one underscore less than the others
    case ['branch', conv, kind]:
      kind = 'batch_norm' if kind == 'norm' else kind
      return f'{group}__{kind}_{conv.removeprefix("conv")}'
    case ['shortcut', kind]:
      kind = 'batch_norm' if kind == 'norm' else kind
      return f'{group}__projection_{kind}'
    case ['se', gate]:
      return f'{group}__se_se_{gate}'
  raise ValueError(module)


def _kind(kind: str) -> str:
  return 'bn' if kind == 'norm' else kind


def _stage(stage: str) -> int:
  """Counts from 2, the stem being 1."""
  return int(stage.removeprefix('stage')) + 1
