"""The cost of a model by arithmetic: parameters, MACs and activations.

Exact and instant at any resolution. The tests hold it against the modules of
`resflax.models`, whose parameters and jaxprs they count.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from resflax import efficientnets
from resflax.checks import check
from resflax.errors import UsageError
from resflax.geometry import stages, stem_features
from resflax.slots import (
  BRANCHES,
  SHORTCUTS,
  STEMS,
  BlockShape,
  Convolution,
)
from resflax.variants import complete


@dataclasses.dataclass(frozen=True)
class Cost:
  """What a part of a network costs for one image.

  Attributes:
    name: stem, stage1, ..., head or total.
    output_shape: height, width, features.
    blocks: residual blocks in it.
    params: trainable parameters.
    macs: multiply-accumulates of convolutions and dense layers, as everybody
      counts them. "FLOPs" are this in most papers, and twice this in RS's.
    activations: output elements of the same layers.
      Source: Radosavovic et al. 2020, section 3.2.
  """

  name: str
  output_shape: tuple[int, int, int]
  blocks: int
  params: int
  macs: int
  activations: int


def are_equal(macs: int, others: int) -> bool:
  """Whether two nets count as equally costly: within a tenth.

  So deep and wide nets are compared. The limit is ours.
  """
  return max(macs, others) <= 1.1 * min(macs, others)


class _Tally:
  """Adds up layers, following the side of a square image through them."""

  def __init__(self, size: int):
    self.size = size
    self.params = self.macs = self.activations = 0

  def convolve(self, c: Convolution) -> None:
    # Either padding gives ceil(size / stride), as every kernel here is odd.
    self.size = -(-self.size // c.stride)
    weights = c.kernel**2 * (c.inputs // c.groups) * c.features
    self.params += weights + 2 * c.features  # the norm's scale and bias
    self.macs += weights * self.size**2
    self.activations += c.features * self.size**2

  def dense(self, inputs: int, features: int) -> None:
    self.params += (inputs + 1) * features
    self.macs += inputs * features
    self.activations += features

  def block(self, shape: BlockShape, branch: str, shortcut: str) -> None:
    size = self.size
    if shape.changes and SHORTCUTS[shortcut]:
      self.convolve(
        Convolution(1, shape.in_features, shape.features, shape.stride)
      )
    self.size = size
    for convolution in BRANCHES[branch].convolutions(shape):
      self.convolve(convolution)
    if shape.se_features:
      self.dense(shape.features, shape.se_features)
      self.dense(shape.se_features, shape.features)

  def cost(self, name: str, features: int, blocks: int = 0) -> Cost:
    """Returns what was added since the last call."""
    shape = (self.size, self.size, features)
    cost = Cost(name, shape, blocks, self.params, self.macs, self.activations)
    self.params = self.macs = self.activations = 0
    return cost


def count(
  fields: str | Mapping,
  resolution: int,
  *,
  num_classes: int = 1000,
  in_channels: int = 3,
  output_stride: int | None = None,
) -> list[Cost]:
  """Returns the costs of stem, stages and head for one image.

  Args:
    fields: a variant's name or fields, as `models.build_model` takes them.
    resolution: pixels a side, from 8 up.
    num_classes: outputs of the classifier.
    in_channels: of the image.
    output_stride: 8, 16 or 32; None = the natural one.

  Raises:
    UsageError: a model that `build_model` would refuse, or no such image.
  """
  fields = complete(fields)
  check(fields, num_classes=num_classes, output_stride=output_stride)
  if resolution < 8 or in_channels < 1:
    raise UsageError(
      f'An image of {resolution} x {resolution} x {in_channels} is too small: '
      'resolutions begin at 8 pixels, channels at 1.'
    )
  if efficientnets.is_efficientnet(fields):
    shape = efficientnets.shape(fields)
    return _count_efficientnet(shape, resolution, num_classes, in_channels)
  tally, features = _Tally(resolution), stem_features(fields)
  stem = STEMS[fields['stem']]
  for convolution in stem.convolutions(in_channels, features):
    tally.convolve(convolution)
  tally.size = -(-tally.size // stem.pool)
  costs = [tally.cost('stem', features)]
  for number, shapes in enumerate(stages(fields, output_stride), start=1):
    for shape in shapes:
      tally.block(shape, fields['branch'], fields['shortcut'])
    features = shapes[-1].features
    costs.append(tally.cost(f'stage{number}', features, len(shapes)))
  tally.size = 1
  tally.dense(features, num_classes)
  return [*costs, tally.cost('head', num_classes)]


def _count_efficientnet(
  shape: efficientnets.Shape, size: int, num_classes: int, in_channels: int
) -> list[Cost]:
  tally = _Tally(size)
  tally.convolve(Convolution(3, in_channels, shape.stem, stride=2))
  costs = [tally.cost('stem', shape.stem)]
  for number, blocks in enumerate(shape.stages, start=1):
    for block in blocks:
      for convolution in block.convolutions.values():
        tally.convolve(convolution)
      tally.dense(block.inner_features, block.se_features)
      tally.dense(block.se_features, block.inner_features)
    features = blocks[-1].features
    costs.append(tally.cost(f'stage{number}', features, len(blocks)))
  tally.convolve(Convolution(1, features, shape.top))
  costs.append(tally.cost('top', shape.top))
  tally.size = 1
  tally.dense(shape.top, num_classes)
  return [*costs, tally.cost('head', num_classes)]


def totals(costs: Iterable[Cost]) -> Cost:
  """Returns the sum of `count`'s rows, with the shape of the last."""
  costs = list(costs)
  sums = {
    name: sum(getattr(cost, name) for cost in costs)
    for name in ('blocks', 'params', 'macs', 'activations')
  }
  return Cost('total', costs[-1].output_shape, **sums)
