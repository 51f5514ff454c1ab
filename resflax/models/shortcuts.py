"""Shortcuts: path B of a block, the identity unless the shape changes.

Each is a class of `(shape, conventions)` and a line in `SHORTCUTS`. Whether
the shape changes is the block's plan (`BlockShape.changes`) and not found out
by comparing tensors, which cannot tell a forgotten stride from a match.
"""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from resflax.models.layers import Conventions
from resflax.slots import BlockShape

Input = Float[Array, 'batch height width inputs']
Output = Float[Array, 'batch out_height out_width features']


class Projection(nn.Module):
  """A strided 1x1 convolution: option B.

  Source: He et al. 2015, section 3.3.
  """

  shape: BlockShape
  conventions: Conventions = Conventions()

  def setup(self):
    if self.shape.changes:
      self.conv = self.conventions.conv(
        self.shape.features, 1, stride=self.shape.stride
      )
      self.norm = self.conventions.norm()

  def __call__(self, x: Input, *, train: bool) -> Output:
    if not self.shape.changes:
      return x
    return self.norm(self.conv(x), train=train)


class AvgPool(nn.Module):
  """ResNet-D: 2x2 average pooling takes the stride from the 1x1 convolution.

  No pooling in stage 1, which has no stride. Where dilation has taken the
  stride's place the pooling stays, with stride 1, so that its outputs hold
  those of the strided net; at the border it counts zeros, as timm does (GluonCV
  drops the pooling).

  Source: He et al. 2019 ("Bag of Tricks"), figure 2c; timm 1.0.31,
    `resnet.downsample_avg`, for dilation.
  """

  shape: BlockShape
  conventions: Conventions = Conventions()

  def setup(self):
    if self.shape.changes:
      self.conv = self.conventions.conv(self.shape.features, 1)
      self.norm = self.conventions.norm()

  def __call__(self, x: Input, *, train: bool) -> Output:
    if not self.shape.changes:
      return x
    if self._pools():
      x = _average(x, self.shape)
    return self.norm(self.conv(x), train=train)

  def _pools(self) -> bool:
    return self.shape.natural_stride > 1


class AvgPoolGarden(AvgPool):
  """As `AvgPool`, and a 2x2 pooling of stride 1 in stage 1 as well.

  Source: TF Model Garden, `nn_blocks.BottleneckBlock` (`resnetd_shortcut`).
  """

  def _pools(self) -> bool:
    return True


class ZeroPad(nn.Module):
  """Every second pixel, and zeros for the new features: option A.

  Source: He et al. 2015, section 3.3. Half of the zeros stand on either side,
    as in Idelbayev's CIFAR-10 code, whose weights are the common ones
    (fb.resnet.torch has them all behind).
  """

  shape: BlockShape
  conventions: Conventions = Conventions()

  def __call__(self, x: Input, *, train: bool) -> Output:
    del train
    x = x[:, :: self.shape.stride, :: self.shape.stride, :]
    new = self.shape.features - self.shape.in_features
    return jnp.pad(x, ((0, 0), (0, 0), (0, 0), (new // 2, new - new // 2)))


class NoShortcut(nn.Module):
  """Nothing: a plain net.

  Source: He et al. 2015, section 3.3.
  """

  shape: BlockShape
  conventions: Conventions = Conventions()

  def __call__(self, x: Input, *, train: bool) -> Float[Array, '']:
    del train
    return jnp.zeros((), x.dtype)


def _average(x: Input, shape: BlockShape) -> Output:
  # The odd pixel at the border is an average of fewer, not of zeros too.
  return nn.avg_pool(
    x,
    window_shape=(2, 2),
    strides=(shape.stride, shape.stride),
    padding='SAME',
    count_include_pad=shape.stride < shape.natural_stride,
  )


SHORTCUTS = {
  'projection': Projection,
  'avg_pool': AvgPool,
  'avg_pool_garden': AvgPoolGarden,
  'zero_pad': ZeroPad,
  'none': NoShortcut,
}
