"""The names in checkpoints of TF Model Garden's ResNet-RS.

Source: tf-models-official 2.20, `official/vision/modeling/backbones/resnet.py`
  and `classification_model.py`.
"""

from collections.abc import Mapping

import numpy as np

from resflax.weights.keras import NORM

FAMILIES = (
  {
    'stem': ('deep_strided',),
    'branch': ('bottleneck_b',),
    'shortcut': ('avg_pool_garden',),
    'activation': ('swish',),
    'padding': ('same',),
    'cardinality': (1,),
    'epsilon': (1e-5,),
  },
)

_VALUE = '/.ATTRIBUTES/VARIABLE_VALUE'
_AVERAGE = '/.OPTIMIZER_SLOT/optimizer/average'


def name(path: str, fields: Mapping) -> str:
  """Returns the name of our tensor at `path`, after `prepare`."""
  _, *module, leaf = path.split('/')
  leaf = NORM[leaf] if module[-1] == 'norm' else leaf
  return f'{_module(module, fields["depths"])}/{leaf}'


def prepare(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns the tensors of the model alone.

  Beside them lie the optimizer's, and each twice where the backbone was saved
  by itself as well. Where there is a moving average it is taken: the authors'
  recipe keeps but the last batch's statistics.
  """
  model = {}
  for name, array in tensors.items():
    name = name.removesuffix(_VALUE)
    name = name.replace('model/layer_with_weights-0/', 'backbone/', 1)
    if name.startswith(('backbone/', 'model/layer_with_weights-1/')):
      model[name] = array
  return {
    name: model.get(name + _AVERAGE, array)
    for name, array in model.items()
    if '/.OPTIMIZER_SLOT/' not in name
  }


def _module(module: list[str], depths: tuple[int, ...]) -> str:
  """Layers with weights are counted: eight in the stem, one a block."""
  if module == ['head']:
    return 'model/layer_with_weights-1'
  if module[0] == 'stem':
    _, conv, kind = module
    return _layer(2 * (_number(conv) - 1) + (kind == 'norm'))
  stage, block, *rest = module
  before = 8 + sum(depths[: _number(stage) - 1])
  layer = _layer(before + _number(block) - 1)
  match rest:
    case ['branch', conv, kind]:
      return f'{layer}/_{kind}{_number(conv)}'
    case ['shortcut', 'conv']:
      return f'{layer}/_shortcut1'
    case ['shortcut', 'norm']:
      return f'{layer}/_norm0'
    case ['se', gate]:
      return f'{layer}/_squeeze_excitation/_se_{gate}'
  raise ValueError(module)


def _layer(index: int) -> str:
  return f'backbone/layer_with_weights-{index}'


def _number(name: str) -> int:
  return int(name.lstrip('abcdefghijklmnopqrstuvwxyz'))
