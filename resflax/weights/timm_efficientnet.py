"""The names of timm's `tf_efficientnet_b0` to `b7`.

Its `efficientnet_*` have the same names and another padding and epsilon.

Source: timm 1.0.31, `timm/models/efficientnet.py`.
"""

from collections.abc import Sequence

from resflax.efficientnets import SCALES

FAMILY = {
  'variant': tuple(SCALES),
  'activation': ('swish',),
  'padding': ('same',),
  'epsilon': (1e-3,),
}

_GATES = {'reduce': 'conv_reduce', 'expand': 'conv_expand'}
_CONVOLUTIONS = {
  'expand': ('conv_pw', 'bn1'),
  'depthwise': ('conv_dw', 'bn2'),
  'project': ('conv_pwl', 'bn3'),
}
# The blocks of stage 1 do not expand, so theirs count on from the depthwise.
_FIRST = {'depthwise': ('conv_dw', 'bn1'), 'project': ('conv_pw', 'bn2')}


def module_name(module: Sequence[str]) -> str:
  """Returns the name of our module, given as the parts of its path."""
  match module:
    case ['head']:
      return 'classifier'
    case ['stem', _, kind]:
      return 'bn1' if kind == 'norm' else 'conv_stem'
    case ['top', _, kind]:
      return 'bn2' if kind == 'norm' else 'conv_head'
    case [stage, block, 'se', gate]:
      return f'{_block(stage, block)}.se.{_GATES[gate]}'
    case [stage, block, part, kind]:
      names = (_FIRST if stage == 'stage1' else _CONVOLUTIONS)[part]
      return f'{_block(stage, block)}.{names[kind == "norm"]}'
  raise ValueError(module)


def _block(stage: str, block: str) -> str:
  numbers = (
    int(name.removeprefix(kind)) - 1
    for name, kind in ((stage, 'stage'), (block, 'block'))
  )
  return 'blocks.' + '.'.join(map(str, numbers))
