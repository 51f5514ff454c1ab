"""Layers that know nothing of ResNets."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from resflax.errors import UsageError
from resflax.models.conv import Conv
from resflax.models.initializers import he_normal
from resflax.models.pooling import max_pool


class GroupBatchNorm(nn.Module):
  """Batch norm over groups of `group_size` samples.

  `nn.BatchNorm` takes its statistics over whatever batch it is given, so they
  change with the number of devices or of accumulated micro-batches. Here they
  are those of consecutive `group_size` samples wherever these lie, and where
  a device holds whole groups nothing is communicated.

  The running statistics are moved once a call, towards the mean over groups.

  Source: Ioffe and Szegedy 2015; the variance is biased in both uses, as in
    Flax (torch and TensorFlow's fused op keep the unbiased one).

  Attributes:
    group_size: samples a group, which must divide the batch; 0 = whole batch.
    momentum: part of the running statistics that is kept, 0 to 1; torch's
      momentum is 1 minus this.
    epsilon: added to the variance.
    scale_init: zeros make a residual branch start as nothing.
    dtype: of the output; statistics and parameters are float32.
  """

  group_size: int = 0
  momentum: float = 0.9
  epsilon: float = 1e-5
  scale_init: Callable = nn.initializers.ones
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, x: Float[Array, 'batch height width features'], *, train: bool
  ) -> Float[Array, 'batch height width features']:
    shape = (x.shape[-1],)
    scale = self.param('scale', self.scale_init, shape, jnp.float32)
    bias = self.param('bias', nn.initializers.zeros, shape, jnp.float32)
    running_mean = self._running('mean', jnp.zeros, shape)
    running_var = self._running('var', jnp.ones, shape)

    # Known statistics are those of a single group.
    batch, *rest = x.shape
    groups = self._num_groups(batch) if train else 1
    grouped = x.reshape(groups, batch // groups, *rest).astype(jnp.float32)
    if train:
      mean, var = _moments(grouped)
      if not self.is_initializing():
        self._move(running_mean, mean)
        self._move(running_var, var)
    else:
      mean, var = running_mean.value[None], running_var.value[None]

    multiplier = lax.rsqrt(var + self.epsilon) * scale[None]
    # One multiply-add for each element; the rest is for each feature.
    offset = bias[None] - mean * multiplier
    y = grouped * _expand(multiplier) + _expand(offset)
    return y.reshape(x.shape).astype(self.dtype)

  def _running(
    self, name: str, init: Callable, shape: tuple[int, ...]
  ) -> nn.Variable:
    return self.variable('batch_stats', name, init, shape, jnp.float32)

  def _num_groups(self, batch: int) -> int:
    # Initialisation throws its statistics away: any batch will do.
    if not self.group_size or self.is_initializing():
      return 1
    if batch % self.group_size:
      raise UsageError(
        f'A batch of {batch} does not consist of batch-norm groups of '
        f'{self.group_size}: choose a divisor of the batch, or 0 for the whole '
        'batch (config.model.norm.group_size).'
      )
    return batch // self.group_size

  def _move(
    self, running: nn.Variable, groups: Float[Array, 'groups features']
  ) -> None:
    kept = self.momentum * running.value
    running.value = kept + (1 - self.momentum) * groups.mean(0)


def _moments(
  x: Float[Array, 'groups samples height width features'],
) -> tuple[Float[Array, 'groups features'], Float[Array, 'groups features']]:
  """Returns mean and biased variance of each group, in one pass over `x`."""
  mean = x.mean((1, 2, 3))
  mean_of_squares = lax.square(x).mean((1, 2, 3))
  # The difference of two large numbers may fall below zero.
  return mean, jnp.maximum(0.0, mean_of_squares - lax.square(mean))


def _expand(x):
  """Returns `[groups, features]` as it broadcasts to grouped images."""
  return x[:, None, None, None, :]


@dataclasses.dataclass(frozen=True)
class Conventions:
  """What all layers of a network agree on, and published ones differ in.

  Attributes:
    activation: the non-linearity.
    padding: of convolutions and of the stem's pooling: 'symmetric' or 'same'.
    conv_form: see `Conv.form`; of the pooling too.
    group_size: see `GroupBatchNorm`, as for momentum and epsilon.
    dtype: of the computation; parameters and statistics are float32.
  """

  activation: Callable = nn.relu
  padding: str = 'symmetric'
  conv_form: str = 'auto'
  group_size: int = 0
  momentum: float = 0.9
  epsilon: float = 1e-5
  dtype: DTypeLike = jnp.float32

  def conv(self, features: int, kernel_size: int, **kwargs) -> Conv:
    return Conv(
      features,
      kernel_size,
      padding=self.padding,
      form=self.conv_form,
      dtype=self.dtype,
      **kwargs,
    )

  def norm(self, **kwargs) -> GroupBatchNorm:
    return GroupBatchNorm(
      self.group_size, self.momentum, self.epsilon, dtype=self.dtype, **kwargs
    )

  def max_pool(
    self, x: Float[Array, 'batch height width features']
  ) -> Float[Array, 'batch out_height out_width features']:
    return max_pool(x, self.padding, self.conv_form)


class ConvNorm(nn.Module):
  """A convolution and its batch norm; the caller applies the activation.

  Attributes:
    features: of the output.
    kernel_size: see `Conv`, as for stride, dilation and groups.
    zero_scale: start with an output of zero, not of unit variance.
      Source: Goyal et al. 2017, section 5.1.
    kernel_init: see `Conv`.
    conventions: of the network.
  """

  features: int
  kernel_size: int
  stride: int = 1
  dilation: int = 1
  groups: int = 1
  zero_scale: bool = False
  kernel_init: Callable = he_normal
  conventions: Conventions = Conventions()

  def setup(self):
    self.conv = self.conventions.conv(
      self.features,
      self.kernel_size,
      stride=self.stride,
      dilation=self.dilation,
      groups=self.groups,
      kernel_init=self.kernel_init,
    )
    init = nn.initializers.zeros if self.zero_scale else nn.initializers.ones
    self.norm = self.conventions.norm(scale_init=init)

  def __call__(
    self, x: Float[Array, 'batch height width inputs'], *, train: bool
  ) -> Float[Array, 'batch out_height out_width features']:
    return self.norm(self.conv(x), train=train)


class SqueezeExcite(nn.Module):
  """Scales each feature by a gate that sees the whole image.

  In a ResNet ReLU is inside whatever the network's activation, as the RS
  authors and Model Garden have it.

  Source: Hu et al. 2018, section 3.

  Attributes:
    hidden: units of the bottleneck between the two dense layers.
    dtype: of the computation; parameters are float32.
    activation: between the two dense layers.
  """

  hidden: int
  dtype: DTypeLike = jnp.float32
  activation: Callable = nn.relu

  @nn.compact
  def __call__(
    self, x: Float[Array, 'batch height width features']
  ) -> Float[Array, 'batch height width features']:
    squeezed = x.mean((1, 2), keepdims=True)
    hidden = self.activation(self._dense(self.hidden, 'reduce')(squeezed))
    return x * nn.sigmoid(self._dense(x.shape[-1], 'expand')(hidden))

  def _dense(self, features: int, name: str) -> nn.Dense:
    return nn.Dense(
      features, dtype=self.dtype, kernel_init=he_normal, name=name
    )


class Drop(NamedTuple):
  """How a block's branch is dropped in one step.

  Attributes:
    rate: probability of dropping a sample's branch, 0 to below 1.
    key: of this block and step.
  """

  rate: Float[Array, ''] | float
  key: PRNGKeyArray


class StochasticDepth(nn.Module):
  """Drops a residual branch for whole samples while training.

  What remains is divided by the probability of remaining, so that evaluation
  needs no scaling (Huang et al. 2016 scale there instead). Rate and key are
  inputs, for blocks that run in a loop share all that is not.

  Source: Bello et al. 2021's code (`drop_connect`), and timm's DropPath.
  """

  @nn.compact
  def __call__(
    self, x: Float[Array, 'batch height width features'], drop: Drop | None
  ) -> Float[Array, 'batch height width features']:
    if drop is None:
      return x
    keep = 1 - drop.rate
    kept = jax.random.bernoulli(drop.key, keep, (x.shape[0], 1, 1, 1))
    scaled = x / jnp.asarray(keep, x.dtype)
    return jnp.where(kept, scaled, jnp.zeros_like(x))
