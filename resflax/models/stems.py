"""Stems: from the image to the first stage.

Each is a class of `(features, conventions)` and a line in `STEMS`; what it
costs stands in `resflax.slots`.
"""

from flax import linen as nn
from jaxtyping import Array, Float

from resflax.models.layers import Conventions, ConvNorm

Image = Float[Array, 'batch height width channels']
Features = Float[Array, 'batch out_height out_width features']


class Conv7x7(nn.Module):
  """A 7x7 convolution of stride 2, then max pooling.

  Source: He et al. 2015, table 1.
  """

  features: int
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv1 = ConvNorm(
      self.features, 7, stride=2, conventions=self.conventions
    )

  def __call__(self, x: Image, *, train: bool) -> Features:
    x = self.conventions.activation(self.conv1(x, train=train))
    return self.conventions.max_pool(x)


class Deep(nn.Module):
  """ResNet-C: three 3x3 convolutions see what the 7x7 did, then max pooling.

  Source: He et al. 2019 ("Bag of Tricks"), figure 2b.
  """

  features: int
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv1, self.conv2, self.conv3 = _deep(self.features, self.conventions)

  def __call__(self, x: Image, *, train: bool) -> Features:
    for conv in (self.conv1, self.conv2, self.conv3):
      x = self.conventions.activation(conv(x, train=train))
    return self.conventions.max_pool(x)


class DeepStrided(nn.Module):
  """ResNet-RS: as `Deep`, with a strided convolution for the max pooling.

  Source: the code of Bello et al. 2021 (`replace_stem_max_pool`). Their text
    (section 4.1) has the stride in the first block instead; the published
    parameter counts and checkpoints are those of the code.
  """

  features: int
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv1, self.conv2, self.conv3 = _deep(self.features, self.conventions)
    self.conv4 = ConvNorm(
      self.features, 3, stride=2, conventions=self.conventions
    )

  def __call__(self, x: Image, *, train: bool) -> Features:
    for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
      x = self.conventions.activation(conv(x, train=train))
    return x


class SmallImage(nn.Module):
  """One 3x3 convolution that keeps the resolution, for CIFAR.

  Source: He et al. 2015, section 4.2.
  """

  features: int
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv1 = ConvNorm(self.features, 3, conventions=self.conventions)

  def __call__(self, x: Image, *, train: bool) -> Features:
    return self.conventions.activation(self.conv1(x, train=train))


def _deep(features: int, conventions: Conventions) -> tuple[ConvNorm, ...]:
  half = max(1, features // 2)
  return (
    ConvNorm(half, 3, stride=2, conventions=conventions),
    ConvNorm(half, 3, conventions=conventions),
    ConvNorm(features, 3, conventions=conventions),
  )


STEMS = {
  'conv7x7': Conv7x7,
  'deep': Deep,
  'deep_strided': DeepStrided,
  'small_image': SmallImage,
}
