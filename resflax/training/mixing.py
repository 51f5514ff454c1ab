"""Mixing pairs of training examples, images and labels, on the device.

An example's partner is the next one of the batch, whose order is random
already; on many devices a batch then moves by one image.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from resflax.training.losses import Labels

Images = Float[Array, 'batch height width channels']


class Targets(NamedTuple):
  """What images show: one class, or two.

  Attributes:
    labels: the class of each.
    others: the second class of each; None where nothing is mixed.
    weight: of `labels`, 0 to 1; the rest is that of `others`.
  """

  labels: Labels
  others: Labels | None = None
  weight: Float[Array, ' batch'] | None = None

  def average(self, measure: Callable) -> Shaped[Array, ' batch']:
    """Returns what `measure` says of the labels, weighted by their share.

    For the cross-entropy this is the one against the mixed targets, one-hot or
    soft, for it is linear in them.
    """
    if self.others is None:
      return measure(self.labels)
    rest = 1 - self.weight
    return self.weight * measure(self.labels) + rest * measure(self.others)


def mix(
  key: PRNGKeyArray,
  images: Images,
  labels: Labels,
  *,
  mixup: float,
  cutmix: float,
) -> tuple[Images, Targets]:
  """Mixes a batch by mixup or by cutmix, by either in half of the steps.

  Both are a mean of an image and the next one, weighted by a map. Choosing
  with equal probability where both are on is timm's `switch_prob`.

  Args:
    key: of this step.
    images: of the batch.
    labels: of the images.
    mixup: alpha of the distribution Beta(alpha, alpha) of the weight; 0 is off.
    cutmix: the same for cutmix.
  """
  if not (mixup or cutmix):
    return images, Targets(labels)
  keys = jax.random.split(key, 3)
  size = images.shape[1:3]
  maps = []
  if mixup:
    maps.append(jnp.full(size, mixup_weight(keys[0], mixup)))
  if cutmix:
    maps.append(cutmix_map(keys[1], size, cutmix))
  kept = jnp.where(jax.random.bernoulli(keys[2]), maps[0], maps[-1])
  share = jnp.full(images.shape[:1], kept.mean())
  kept = kept[None, :, :, None]
  mixed = kept * images + (1 - kept) * jnp.roll(images, -1, axis=0)
  others = jax.tree.map(lambda x: jnp.roll(x, -1, axis=0), labels)
  return mixed, Targets(labels, others, share)


def mixup_weight(key: PRNGKeyArray, alpha: int | float) -> Float[Array, '']:
  """Draws the weight of each image beside the next one.

  Source: Zhang et al. 2018, section 2; one weight a batch, as their code has
    it.
  """
  return jax.random.beta(key, alpha, alpha)


def cutmix_map(
  key: PRNGKeyArray, size: tuple[int, int], alpha: int | float
) -> Float[Array, 'height width']:
  """Draws where an image stays (1) and where the next one is pasted (0).

  Source: Yun et al. 2019, section 3.1, with their code's box: its centre is
    uniform over the image, and what reaches outside is cut off, so the weight
    of the label is the share of pixels that stay. One box a batch.
  """
  of_weight, of_place = jax.random.split(key)
  side = jnp.sqrt(1 - jax.random.beta(of_weight, alpha, alpha))
  place = jax.random.uniform(of_place, (2,))
  rows, columns = (
    _inside(place[axis], side, length) for axis, length in enumerate(size)
  )
  return 1.0 - (rows[:, None] & columns[None, :])


def _inside(
  place: Float[Array, ''], side: Float[Array, ''], length: int
) -> Bool[Array, ' length']:
  """Returns which pixels of a side are in a box: half of it on each side."""
  half = jnp.floor(side * length).astype(jnp.int32) // 2
  centre = jnp.floor(place * length).astype(jnp.int32)
  pixels = jnp.arange(length)
  return (pixels >= centre - half) & (pixels < centre + half)
