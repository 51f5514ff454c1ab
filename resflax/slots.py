"""The choices of a model's three slots, as lists of convolutions.

`resflax.models` has a module for each; here stands what they cost and what
they do to shapes, for checks and counts that run without jax.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple


class Convolution(NamedTuple):
  """A convolution without bias, followed by a batch norm."""

  kernel: int
  inputs: int
  features: int
  stride: int = 1
  groups: int = 1


@dataclasses.dataclass(frozen=True)
class BlockShape:
  """What a residual block has to know.

  Attributes:
    in_features: of its input.
    inner_features: of a bottleneck's inner convolutions.
    features: of its output.
    groups: of a bottleneck's 3x3 convolution.
    se_features: hidden units of squeeze-and-excitation; 0 = none.
    stride: input pixels a side to one output pixel.
    natural_stride: `stride` before dilation took its place.
    first_dilation: of the convolutions up to the one with the stride.
    dilation: of those after it.
    drop_rate: of stochastic depth, 0 to 1.
  """

  in_features: int
  inner_features: int
  features: int
  groups: int = 1
  se_features: int = 0
  stride: int = 1
  natural_stride: int = 1
  first_dilation: int = 1
  dilation: int = 1
  drop_rate: float = 0.0

  @property
  def changes(self) -> bool:
    """Whether the input cannot be added to the output as it is.

    By the natural stride, so that the parameters of a net do not depend on
    its output stride.
    """
    return self.natural_stride > 1 or self.in_features != self.features


class Stem(NamedTuple):
  """The convolutions of a stem and the stride of the pooling after them."""

  convolutions: Callable[[int, int], list[Convolution]]
  pool: int
  stride: int


def _deep(channels: int, features: int) -> list[Convolution]:
  half = max(1, features // 2)
  return [
    Convolution(3, channels, half, stride=2),
    Convolution(3, half, half),
    Convolution(3, half, features),
  ]


STEMS = {
  'conv7x7': Stem(
    lambda channels, features: [Convolution(7, channels, features, stride=2)],
    pool=2,
    stride=4,
  ),
  'deep': Stem(_deep, pool=2, stride=4),
  'deep_strided': Stem(
    lambda channels, features: [
      *_deep(channels, features),
      Convolution(3, features, features, stride=2),
    ],
    pool=1,
    stride=4,
  ),
  'small_image': Stem(
    lambda channels, features: [Convolution(3, channels, features)],
    pool=1,
    stride=1,
  ),
}


class Branch(NamedTuple):
  """The convolutions of a residual branch, and output over base features."""

  convolutions: Callable[[BlockShape], list[Convolution]]
  expansion: int


def _basic(s: BlockShape) -> list[Convolution]:
  return [
    Convolution(3, s.in_features, s.features, s.stride),
    Convolution(3, s.features, s.features),
  ]


def _bottleneck(s: BlockShape) -> list[Convolution]:
  return [
    Convolution(1, s.in_features, s.inner_features, s.stride),
    Convolution(3, s.inner_features, s.inner_features, groups=s.groups),
    Convolution(1, s.inner_features, s.features),
  ]


def _bottleneck_b(s: BlockShape) -> list[Convolution]:
  return [
    Convolution(1, s.in_features, s.inner_features),
    Convolution(3, s.inner_features, s.inner_features, s.stride, s.groups),
    Convolution(1, s.inner_features, s.features),
  ]


BRANCHES = {
  'basic': Branch(_basic, expansion=1),
  'bottleneck': Branch(_bottleneck, expansion=4),
  'bottleneck_b': Branch(_bottleneck_b, expansion=4),
}

# Whether the shortcut of a block that changes the shape is a 1x1 convolution.
SHORTCUTS = {
  'projection': True,
  'avg_pool': True,
  'avg_pool_garden': True,
  'zero_pad': False,
  'none': False,
}
