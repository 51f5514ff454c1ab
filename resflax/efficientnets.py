"""EfficientNet B0 to B7 as plain data: the baseline that ResNet-RS has.

A family of its own: none of a ResNet's slots, widths or depths is a field of
it, and nothing of it is swept. `resflax.models.efficientnet` has the modules.

Source: Tan and Le 2019; rounding, drop rates and squeeze-and-excitation are
  those of their code, tensorflow/tpu, `models/official/efficientnet`.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import NamedTuple

from resflax.slots import Convolution


class Scale(NamedTuple):
  """How far a model is grown from B0; the resolution grows beside it.

  Attributes:
    width: multiplies features.
    depth: multiplies blocks.
  """

  width: float
  depth: float


SCALES = {
  'efficientnet_b0': Scale(1.0, 1.0),
  'efficientnet_b1': Scale(1.0, 1.1),
  'efficientnet_b2': Scale(1.1, 1.2),
  'efficientnet_b3': Scale(1.2, 1.4),
  'efficientnet_b4': Scale(1.4, 1.8),
  'efficientnet_b5': Scale(1.6, 2.2),
  'efficientnet_b6': Scale(1.8, 2.6),
  'efficientnet_b7': Scale(2.0, 3.1),
}
# The fields of `config.model` that apply. Rates belong to a recipe; the
# authors' are 0.2 to 0.5 for dropout and 0.2 for blocks.
ROW = {
  'activation': 'swish',
  'padding': 'same',
  'dropout_rate': 0.0,
  'stochastic_depth_rate': 0.0,
  'norm': {'momentum': 0.99, 'epsilon': 1e-3},
  'conv': 'auto',
  'scan_blocks': 'auto',
  'remat': 'none',
}


class _Stage(NamedTuple):
  blocks: int
  kernel: int
  stride: int
  expansion: int
  features: int


_STAGES = (  # Tan and Le 2019, table 1
  _Stage(1, 3, 1, 1, 16),
  _Stage(2, 3, 2, 6, 24),
  _Stage(2, 5, 2, 6, 40),
  _Stage(3, 3, 2, 6, 80),
  _Stage(3, 5, 1, 6, 112),
  _Stage(4, 5, 2, 6, 192),
  _Stage(1, 3, 1, 6, 320),
)
_STEM, _TOP = 32, 1280


@dataclasses.dataclass(frozen=True)
class BlockShape:
  """What an inverted bottleneck ("MBConv") has to know.

  Attributes:
    in_features: of its input.
    features: of its output.
    expansion: features of the depthwise convolution over those of the input.
    kernel: side of the depthwise convolution.
    stride: of the depthwise convolution.
    drop_rate: of stochastic depth, where there is a shortcut.
  """

  in_features: int
  features: int
  expansion: int
  kernel: int
  stride: int
  drop_rate: float = 0.0

  @property
  def changes(self) -> bool:
    """Whether the input cannot be added to the output; there is no shortcut."""
    return self.stride > 1 or self.in_features != self.features

  @property
  def inner_features(self) -> int:
    """Of the depthwise convolution, which squeeze-and-excitation scales."""
    return self.in_features * self.expansion

  @property
  def convolutions(self) -> dict[str, Convolution]:
    """By name, in their order."""
    inner = self.inner_features
    expand = {'expand': Convolution(1, self.in_features, inner)}
    return (expand if self.expansion > 1 else {}) | {
      'depthwise': Convolution(self.kernel, inner, inner, self.stride, inner),
      'project': Convolution(1, inner, self.features),
    }

  @property
  def se_features(self) -> int:
    """Its hidden units: a quarter of the block's *input*."""
    return max(1, self.in_features // 4)


class Shape(NamedTuple):
  """A whole model: stem, stages and the 1x1 convolution on top."""

  stem: int
  stages: tuple[tuple[BlockShape, ...], ...]
  top: int


def is_efficientnet(fields: Mapping) -> bool:
  """Whether complete fields, see `variants.complete`, are of this family."""
  return fields.get('variant') in SCALES


def depths_of(name: str) -> tuple[int, ...]:
  """Returns the blocks of the stages of a model of `SCALES`."""
  depth = SCALES[name].depth
  return tuple(math.ceil(stage.blocks * depth) for stage in _STAGES)


def blocks(model: Mapping) -> tuple[int, ...]:
  """Returns those of the stages of decided fields, a ResNet's as well."""
  return tuple(model['depths'] or depths_of(model['variant']))


def shape(fields: Mapping) -> Shape:
  """Returns the shapes of all blocks of complete fields."""
  width, depths = SCALES[fields['variant']].width, depths_of(fields['variant'])
  rate, total = fields['stochastic_depth_rate'], sum(depths)
  inputs = stem = _scaled(_STEM, width)
  stages, before = [], 0
  for stage, depth in zip(_STAGES, depths, strict=True):
    features = _scaled(stage.features, width)
    made = []
    for number in range(depth):
      # From 0 on, and the last block's is not quite the rate.
      drop_rate = rate * (before + number) / total
      stride = 1 if number else stage.stride
      made.append(
        BlockShape(
          *(inputs, features, stage.expansion, stage.kernel, stride),
          drop_rate=drop_rate,
        )
      )
      inputs = features
    stages.append(tuple(made))
    before += depth
  return Shape(stem, tuple(stages), _scaled(_TOP, width))


def _scaled(features: int, width: float) -> int:
  """Returns a feature count at a width: a multiple of 8, at least 0.9 of it."""
  exact = features * width
  rounded = max(8, int(exact + 4) // 8 * 8)
  return rounded + 8 if rounded < 0.9 * exact else rounded
