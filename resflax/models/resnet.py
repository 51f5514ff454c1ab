"""The residual network: blocks, stages and the whole.

Names are explicit and 1-based, for they are a checkpoint's:
`stage2/block1/branch/conv2/norm/scale`.
"""

from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from resflax.models.layers import (
  Conventions,
  SqueezeExcite,
  StochasticDepth,
)
from resflax.models.shortcuts import NoShortcut
from resflax.slots import BlockShape

Images = Float[Array, 'batch height width channels']
Features = Float[Array, 'batch out_height out_width features']


class ResidualBlock(nn.Module):
  """Path A plus path B, then the activation.

  Attributes:
    branch: path A, the residual branch.
    shortcut: path B.
    se: squeeze-and-excitation of path A, or None.
    stochastic_depth: drops path A.
    activation: the non-linearity.
  """

  branch: nn.Module
  shortcut: nn.Module
  se: SqueezeExcite | None
  stochastic_depth: StochasticDepth
  activation: Callable

  def __call__(
    self, x: Float[Array, 'batch height width inputs'], *, train: bool
  ) -> Features:
    y = self.branch(x, train=train)
    if self.se is not None:
      y = self.se(y)
    y = self.stochastic_depth(y, train=train)
    return self.activation(y + self.shortcut(x, train=train))


class Stage(nn.Module):
  """Blocks in a row, of which the first may stride and widen.

  Attributes:
    shapes: of the blocks.
    branch: one of `BRANCHES`.
    shortcut: one of `SHORTCUTS`.
    conventions: of the network.
  """

  shapes: tuple[BlockShape, ...]
  branch: type[nn.Module]
  shortcut: type[nn.Module]
  conventions: Conventions = Conventions()

  def setup(self):
    self.blocks = [
      self._block(shape, f'block{number}')
      for number, shape in enumerate(self.shapes, start=1)
    ]

  def _block(self, shape: BlockShape, name: str) -> ResidualBlock:
    conventions = self.conventions
    return ResidualBlock(
      branch=self.branch(
        shape,
        # Without a shortcut a zero scale would be the end of all signals.
        zero_scale=self.shortcut is not NoShortcut,
        conventions=conventions,
      ),
      shortcut=self.shortcut(shape, conventions),
      se=SqueezeExcite(shape.se_features, conventions.dtype)
      if shape.se_features
      else None,
      stochastic_depth=StochasticDepth(shape.drop_rate),
      activation=conventions.activation,
      name=name,
    )

  def __call__(
    self, x: Float[Array, 'batch height width inputs'], *, train: bool
  ) -> Features:
    for block in self.blocks:
      x = block(x, train=train)
    return x


class ResNet(nn.Module):
  """A stem, stages and a classifier: every variant of this project.

  Build one with `resflax.models.build_model`.

  Attributes:
    stem: one of `STEMS`, made.
    stages: the shapes of all blocks, see `resflax.geometry.stages`.
    branch: one of `BRANCHES`.
    shortcut: one of `SHORTCUTS`.
    num_classes: outputs of the classifier.
    dropout_rate: before the classifier, 0 to below 1.
    conventions: of the network.
  """

  stem: nn.Module
  stages: tuple[tuple[BlockShape, ...], ...]
  branch: type[nn.Module]
  shortcut: type[nn.Module]
  num_classes: int
  dropout_rate: float = 0.0
  conventions: Conventions = Conventions()

  def setup(self):
    self.stage_modules = [
      Stage(
        shapes,
        self.branch,
        self.shortcut,
        self.conventions,
        name=f'stage{number}',
      )
      for number, shapes in enumerate(self.stages, start=1)
    ]
    self.dropout = nn.Dropout(self.dropout_rate)
    # In float32 whatever the rest is in: logits decide by small differences.
    self.head = nn.Dense(
      self.num_classes,
      # Source: Goyal et al. 2017, section 5.1, and the RS authors' code.
      kernel_init=nn.initializers.normal(0.01),
    )

  def __call__(
    self, images: Images, *, train: bool
  ) -> Float[Array, 'batch classes']:
    """Returns logits.

    Args:
      images: normalised, of any size from 8 pixels up and any channels.
      train: take the statistics of the batch, and the rngs stream `dropout`
        for dropout and stochastic depth.
    """
    pooled = self.features(images, train=train)['pooled']
    return self.head(self.dropout(pooled, deterministic=not train))

  def features(
    self, images: Images, *, train: bool
  ) -> dict[str, Float[Array, 'batch ...']]:
    """Returns the outputs of `stem`, `stage1` and on, and `pooled`.

    `pooled` is the float32 mean over pixels that the classifier is given.
    """
    endpoints = {}
    x = endpoints['stem'] = self.stem(images, train=train)
    for number, stage in enumerate(self.stage_modules, start=1):
      x = endpoints[f'stage{number}'] = stage(x, train=train)
    endpoints['pooled'] = x.astype(jnp.float32).mean((1, 2))
    return endpoints
