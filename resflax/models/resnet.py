"""The residual network: blocks, stages and the whole.

Names are explicit and 1-based, for they are a checkpoint's:
`stage2/block1/branch/conv2/norm/scale`. With `scan_blocks` the equal blocks
of a stage are one, `stage2/blocks`, that runs in a loop over stacked
variables (`resflax.models.layout`); the loop is compiled once, so a deep
network compiles as fast as a shallow one.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, PRNGKeyArray

from resflax.models.initializers import normal
from resflax.models.layers import (
  Conventions,
  Drop,
  SqueezeExcite,
  StochasticDepth,
)
from resflax.models.layout import is_stackable, stack
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
    activation: the non-linearity.
  """

  branch: nn.Module
  shortcut: nn.Module
  se: SqueezeExcite | None
  activation: Callable

  def setup(self):
    self.stochastic_depth = StochasticDepth()

  def __call__(
    self,
    x: Float[Array, 'batch height width inputs'],
    *,
    train: bool,
    drop: Drop | None = None,
  ) -> Features:
    y = self.branch(x, train=train)
    if self.se is not None:
      y = self.se(y)
    y = self.stochastic_depth(y, drop)
    return self.activation(y + self.shortcut(x, train=train))


class Stage(nn.Module):
  """Blocks in a row, of which the first may stride and widen.

  Attributes:
    shapes: of the blocks.
    branch: one of `BRANCHES`.
    shortcut: one of `SHORTCUTS`.
    scan_blocks: run blocks 2 and on in a loop.
    remat: 'blocks' keeps only the inputs of blocks for the backward pass.
    conventions: of the network.
  """

  shapes: tuple[BlockShape, ...]
  branch: type[nn.Module]
  shortcut: type[nn.Module]
  scan_blocks: bool = False
  remat: str = 'none'
  conventions: Conventions = Conventions()

  def setup(self):
    loops = self.scan_blocks and is_stackable(len(self.shapes))
    shapes = self.shapes[:1] if loops else self.shapes
    self.blocks = [
      self._block(shape, f'block{number}')
      for number, shape in enumerate(shapes, start=1)
    ]
    self.loop = self._block(self.shapes[1], 'blocks') if loops else None

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
      activation=conventions.activation,
      name=name,
    )

  def __call__(
    self,
    x: Float[Array, 'batch height width inputs'],
    *,
    train: bool,
    key: PRNGKeyArray | None = None,
  ) -> Features:
    def apply(block, x, drop):
      return block(x, train=train, drop=drop)

    if self.remat == 'blocks':
      apply = nn.remat(apply, prevent_cse=self.loop is None)
    drops = self._drops(key)
    for block, drop in zip(self.blocks, drops, strict=False):
      x = apply(block, x, drop)
    if self.loop is None:
      return x
    # One tree of rates and keys, stacked as the variables are.
    rest = jax.tree.map(lambda *leaves: jnp.stack(leaves), *drops[1:])
    scan = nn.scan(
      lambda block, x, drop: (apply(block, x, drop), None),
      variable_axes={'params': 0, 'batch_stats': 0},
      split_rngs={'params': False},
      length=len(self.shapes) - 1,
    )
    return scan(self.loop, x, rest)[0]

  def _drops(self, key: PRNGKeyArray | None) -> list[Drop | None]:
    """How each block is dropped, the same in a loop and outside of it."""
    if key is None:
      return [None] * len(self.shapes)
    return [
      Drop(shape.drop_rate, jax.random.fold_in(key, number))
      for number, shape in enumerate(self.shapes, start=1)
    ]


class Network(nn.Module):
  """A module with `scan_blocks`, which its initial values do not depend on."""

  def init_with_output(self, *args, **kwargs):
    """As every module's; a loop starts from the values of no loop."""
    if not self.scan_blocks:
      return super().init_with_output(*args, **kwargs)
    unrolled = self.clone(scan_blocks=False)
    output, variables = unrolled.init_with_output(*args, **kwargs)
    return output, stack(variables)


class ResNet(Network):
  """A stem, stages and a classifier: every variant of this project.

  Build one with `resflax.models.build_model`.

  Attributes:
    stem: one of `STEMS`, made.
    stages: the shapes of all blocks, see `resflax.geometry.stages`.
    branch: one of `BRANCHES`.
    shortcut: one of `SHORTCUTS`.
    num_classes: outputs of the classifier.
    scan_blocks: see `Stage`, as for remat.
    dropout_rate: before the classifier, 0 to below 1.
    conventions: of the network.
  """

  stem: nn.Module
  stages: tuple[tuple[BlockShape, ...], ...]
  branch: type[nn.Module]
  shortcut: type[nn.Module]
  num_classes: int
  scan_blocks: bool = False
  remat: str = 'none'
  dropout_rate: float = 0.0
  conventions: Conventions = Conventions()

  def setup(self):
    self.stage_modules = [
      Stage(
        shapes,
        self.branch,
        self.shortcut,
        self.scan_blocks,
        self.remat,
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
      kernel_init=normal(0.01),
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
    drops = train and any(s.drop_rate for stage in self.stages for s in stage)
    key = self.make_rng('dropout') if drops else None
    x = endpoints['stem'] = self.stem(images, train=train)
    for number, stage in enumerate(self.stage_modules, start=1):
      stage_key = jax.random.fold_in(key, number) if drops else None
      x = stage(x, train=train, key=stage_key)
      endpoints[f'stage{number}'] = x
    endpoints['pooled'] = x.astype(jnp.float32).mean((1, 2))
    return endpoints
