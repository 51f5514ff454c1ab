"""Colours of a batch, changed at random on the device.

Images are in 0..1 and stay floats: there is nothing to round to.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

# Of red, green and blue in what an eye calls bright (ITU-R BT.601), as
# torchvision's `rgb_to_grayscale` has it.
LUMA = (0.2989, 0.587, 0.114)

# Principal components of ImageNet's colours in 0..1: their sizes and, in
# columns, their directions. Source: fb.resnet.torch, `datasets/imagenet.lua`.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
  (-0.5675, 0.7192, 0.4009),
  (-0.5808, -0.0045, -0.8140),
  (-0.5836, -0.6948, 0.4203),
)

Images = Float[Array, 'batch height width channels']


def color_jitter(key: PRNGKeyArray, images: Images, strength: float) -> Images:
  """Changes brightness, contrast and saturation of each image.

  Source: fb.resnet.torch's `ColorJitter`, and what gluon ran for Bag of Tricks
    (He et al. 2019), strength 0.4; the paper's section 2.1 has hue for
    contrast. The three are in this order, where these shuffle it.

  Args:
    key: of this step.
    images: in 0..1.
    strength: factors are uniform in 1 - strength to 1 + strength.
  """
  shape = (3, images.shape[0])
  factors = jax.random.uniform(
    key, shape, minval=max(0.0, 1 - strength), maxval=1 + strength
  )
  return adjust_colors(images, *factors)


def adjust_colors(
  images: Images,
  brightness: Float[Array, ' batch'],
  contrast: Float[Array, ' batch'],
  saturation: Float[Array, ' batch'],
) -> Images:
  """Blends with black, with the mean brightness and with the grey image.

  A factor of 1 leaves an image, 0 is the other one; results are cut to 0..1
  after each. Source: torchvision's `adjust_brightness` and the like.
  """
  images = _blend(images, jnp.zeros(()), brightness)
  mean = _grey(images).mean((1, 2, 3), keepdims=True)
  images = _blend(images, mean, contrast)
  return _blend(images, _grey(images), saturation)


def pca_lighting(key: PRNGKeyArray, images: Images, std: float) -> Images:
  """Adds a colour along ImageNet's principal components to each image.

  Source: Krizhevsky et al. 2012, section 4.1; std 0.1 there and in Bag of
    Tricks (He et al. 2019, section 2.1).

  Args:
    key: of this step.
    images: in 0..1, of three channels.
    std: of a component's coefficient.
  """
  coefficients = std * jax.random.normal(key, (images.shape[0], 3))
  return images + lighting_shift(coefficients)[:, None, None, :]


def lighting_shift(
  coefficients: Float[Array, 'batch 3'],
) -> Float[Array, 'batch 3']:
  """Returns what is added to red, green and blue."""
  values, vectors = jnp.asarray(EIGENVALUES), jnp.asarray(EIGENVECTORS)
  return (coefficients * values[None, :]) @ vectors.T


def _blend(
  images: Images, other: Float[Array, '...'], factor: Float[Array, ' batch']
) -> Images:
  factor = factor[:, None, None, None]
  return jnp.clip(factor * images + (1 - factor) * other, 0.0, 1.0)


def _grey(images: Images) -> Float[Array, 'batch height width 1']:
  """What each pixel weighs; grey images are what they are."""
  if images.shape[-1] == 1:
    return images
  return (images * jnp.asarray(LUMA)[None, None, None, :]).sum(
    -1, keepdims=True
  )
