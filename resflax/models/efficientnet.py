"""EfficientNet, the baseline: inverted bottlenecks, SE, swish.

Names as those of ResNets where there is the same: `stem/conv1`,
`stage2/block1`, `head`; a block has `expand`, `depthwise`, `se` and `project`,
and `top/conv1` is the 1x1 convolution before the pooling.

Source: Tan and Le 2019, and their code; see `resflax.efficientnets`.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from resflax.efficientnets import BlockShape, Shape
from resflax.models import resnet
from resflax.models.initializers import he_normal, he_normal_depthwise
from resflax.models.layers import (
  Conventions,
  ConvNorm,
  Drop,
  SqueezeExcite,
  StochasticDepth,
)
from resflax.models.shortcuts import NoShortcut

Images = Float[Array, 'batch height width channels']
Features = Float[Array, 'batch out_height out_width features']

# Uniform between plus and minus 1 / sqrt(classes), as the authors' code.
_head_init = nn.initializers.variance_scaling(1 / 3, 'fan_out', 'uniform')


class InvertedBottleneck(nn.Module):
  """MBConv: wide inside and narrow between blocks, linear at its end.

  Source: Sandler et al. 2018 (MobileNetV2), with SE as in Tan et al. 2019
    (MnasNet).

  Attributes:
    shape: of the block.
    conventions: of the network.
  """

  shape: BlockShape
  conventions: Conventions = Conventions()

  def setup(self):
    for name, c in self.shape.convolutions.items():
      depthwise = name == 'depthwise'
      module = ConvNorm(
        c.features,
        c.kernel,
        stride=c.stride,
        groups=c.groups,
        kernel_init=he_normal_depthwise if depthwise else he_normal,
        conventions=self.conventions,
      )
      setattr(self, name, module)
    self.se = SqueezeExcite(
      self.shape.se_features,
      self.conventions.dtype,
      self.conventions.activation,
    )
    self.stochastic_depth = StochasticDepth()

  def __call__(
    self,
    x: Float[Array, 'batch height width inputs'],
    *,
    train: bool,
    drop: Drop | None = None,
  ) -> Features:
    y, activation = x, self.conventions.activation
    if self.shape.expansion > 1:
      y = activation(self.expand(y, train=train))
    y = activation(self.depthwise(y, train=train))
    y = self.project(self.se(y), train=train)
    return y if self.shape.changes else x + self.stochastic_depth(y, drop)


class Stage(resnet.Stage):
  """A ResNet's stage of other blocks: loops and `remat` are the same."""

  shapes: tuple[BlockShape, ...]

  def _block(self, shape: BlockShape, name: str) -> InvertedBottleneck:
    return self.branch(shape, self.conventions, name=name)


class OneConv(nn.Module):
  """The stem, or the top: one convolution, and the activation.

  Attributes:
    features: of the output.
    kernel_size: odd.
    stride: input pixels a side to one output pixel.
    conventions: of the network.
  """

  features: int
  kernel_size: int
  stride: int = 1
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv1 = ConvNorm(
      self.features,
      self.kernel_size,
      stride=self.stride,
      conventions=self.conventions,
    )

  def __call__(
    self, x: Float[Array, 'batch height width inputs'], *, train: bool
  ) -> Features:
    return self.conventions.activation(self.conv1(x, train=train))


class EfficientNet(resnet.Network):
  """A stem, stages, a top and a classifier.

  Build one with `resflax.models.build_model`. Called as a `ResNet` is.

  Attributes:
    shape: of everything, see `resflax.efficientnets.shape`.
    num_classes: outputs of the classifier.
    scan_blocks: see `resnet.Stage`, as for remat.
    dropout_rate: before the classifier, 0 to below 1.
    conventions: of the network.
  """

  shape: Shape
  num_classes: int
  scan_blocks: bool = False
  remat: str = 'none'
  dropout_rate: float = 0.0
  conventions: Conventions = Conventions()

  def setup(self):
    self.stem = OneConv(
      self.shape.stem, 3, stride=2, conventions=self.conventions
    )
    self.stage_modules = [
      Stage(
        shapes,
        InvertedBottleneck,
        NoShortcut,  # the block has its own
        self.scan_blocks,
        self.remat,
        self.conventions,
        name=f'stage{number}',
      )
      for number, shapes in enumerate(self.shape.stages, start=1)
    ]
    self.top = OneConv(self.shape.top, 1, conventions=self.conventions)
    self.dropout = nn.Dropout(self.dropout_rate)
    self.head = nn.Dense(self.num_classes, kernel_init=_head_init)

  def __call__(
    self, images: Images, *, train: bool
  ) -> Float[Array, 'batch classes']:
    """Returns logits in float32; see `ResNet`."""
    pooled = self.features(images, train=train)['pooled']
    return self.head(self.dropout(pooled, deterministic=not train))

  def features(
    self, images: Images, *, train: bool
  ) -> dict[str, Float[Array, 'batch ...']]:
    """Returns the outputs of `stem`, `stage1` to `stage7`, and `pooled`."""
    endpoints = {}
    drops = train and any(
      block.drop_rate for stage in self.shape.stages for block in stage
    )
    key = self.make_rng('dropout') if drops else None
    x = endpoints['stem'] = self.stem(images, train=train)
    for number, stage in enumerate(self.stage_modules, start=1):
      stage_key = jax.random.fold_in(key, number) if drops else None
      x = stage(x, train=train, key=stage_key)
      endpoints[f'stage{number}'] = x
    top = self.top(x, train=train)
    endpoints['pooled'] = top.astype(jnp.float32).mean((1, 2))
    return endpoints
