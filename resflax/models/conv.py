"""The convolution that every module of this project uses."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

# Source: He et al. 2015 ("Delving Deep"), fan-out, normal and not truncated:
# what timm, torchvision and the ResNeXt authors use. The RS authors' code has
# TensorFlow's default instead (fan-in, scale 1, truncated).
he_normal = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')


class Conv(nn.Module):
  """A square 2-D convolution without bias, for a norm follows it.

  Differs from `nn.Conv` in its padding: 'symmetric' pads both sides alike, as
  torch and the RS authors' TPU code, where 'same' (TensorFlow's, here for
  Model Garden's weights) puts the odd pixel of a strided one at the end.

  Attributes:
    features: of the output; a multiple of `groups`, as those of the input.
    kernel_size: odd.
    stride: input pixels a side to one output pixel.
    dilation: input pixels between the kernel's taps.
    groups: 1 = an ordinary convolution.
    padding: 'symmetric' or 'same'.
    dtype: of the computation and the output; parameters are float32.
  """

  features: int
  kernel_size: int
  stride: int = 1
  dilation: int = 1
  groups: int = 1
  padding: str = 'symmetric'
  dtype: DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, x: Float[Array, 'batch height width inputs']
  ) -> Float[Array, 'batch out_height out_width features']:
    side = self.kernel_size
    shape = (side, side, x.shape[-1] // self.groups, self.features)
    kernel = self.param('kernel', he_normal, shape, jnp.float32)
    pad = (side - 1) // 2 * self.dilation
    return lax.conv_general_dilated(
      x.astype(self.dtype),
      kernel.astype(self.dtype),
      window_strides=(self.stride, self.stride),
      padding='SAME' if self.padding == 'same' else [(pad, pad)] * 2,
      rhs_dilation=(self.dilation, self.dilation),
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
      feature_group_count=self.groups,
    )
