"""Residual branches: path A of a block, without its last activation.

Each is a class of `(shape, zero_scale, conventions)` and a line in
`BRANCHES`; what it costs stands in `resflax.slots`.
"""

from flax import linen as nn
from jaxtyping import Array, Float

from resflax.models.layers import Conventions, ConvNorm
from resflax.slots import BlockShape

Input = Float[Array, 'batch height width inputs']
Output = Float[Array, 'batch out_height out_width features']


class Basic(nn.Module):
  """Two 3x3 convolutions, the first with the stride.

  Source: He et al. 2015, figure 5 left.

  Attributes:
    shape: of the block.
    zero_scale: start with an output of zero, so that the block is its
      shortcut.
    conventions: of the network.
  """

  shape: BlockShape
  zero_scale: bool = True
  conventions: Conventions = Conventions()

  def setup(self):
    shape, conventions = self.shape, self.conventions
    self.conv1 = ConvNorm(
      shape.features,
      3,
      stride=shape.stride,
      dilation=shape.first_dilation,
      conventions=conventions,
    )
    self.conv2 = ConvNorm(
      shape.features,
      3,
      dilation=shape.dilation,
      zero_scale=self.zero_scale,
      conventions=conventions,
    )

  def __call__(self, x: Input, *, train: bool) -> Output:
    x = self.conventions.activation(self.conv1(x, train=train))
    return self.conv2(x, train=train)


class BottleneckB(nn.Module):
  """ResNet-B: 1x1, 3x3, 1x1, with the stride on the 3x3.

  A 1x1 convolution of stride 2 ignores three quarters of its input. The 3x3
  may be grouped: Xie et al. 2017, figure 3c.

  Source: Gross and Wilber 2016 (fb.resnet.torch); He et al. 2019 ("Bag of
    Tricks"), figure 2a. torchvision's and NVIDIA's "v1.5".

  Attributes:
    shape: of the block.
    zero_scale: see `Basic`.
    conventions: of the network.
  """

  shape: BlockShape
  zero_scale: bool = True
  conventions: Conventions = Conventions()

  def setup(self):
    shape, conventions = self.shape, self.conventions
    first, second = self._windows()
    self.conv1 = ConvNorm(
      shape.inner_features, 1, conventions=conventions, **first
    )
    self.conv2 = ConvNorm(
      shape.inner_features,
      3,
      groups=shape.groups,
      conventions=conventions,
      **second,
    )
    self.conv3 = ConvNorm(
      shape.features, 1, zero_scale=self.zero_scale, conventions=conventions
    )

  def _windows(self) -> tuple[dict, dict]:
    """How the first and the second kernel move."""
    shape = self.shape
    return {}, {'stride': shape.stride, 'dilation': shape.first_dilation}

  def __call__(self, x: Input, *, train: bool) -> Output:
    for conv in (self.conv1, self.conv2):
      x = self.conventions.activation(conv(x, train=train))
    return self.conv3(x, train=train)


class Bottleneck(BottleneckB):
  """The original of 2015: the stride is on the first 1x1.

  Source: He et al. 2015, figure 5 right, and section 3.4's released models.
  """

  def _windows(self) -> tuple[dict, dict]:
    return {'stride': self.shape.stride}, {'dilation': self.shape.dilation}


BRANCHES = {
  'basic': Basic,
  'bottleneck': Bottleneck,
  'bottleneck_b': BottleneckB,
}
