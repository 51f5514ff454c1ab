"""The TPU compiler's estimates beside the published times of ResNet-RS.

Estimates all; needs libtpu and no TPU. Blocks run in a loop in every model,
without remat. As the authors did: 128 images on a core, halved until they fit,
and the time scaled to 128.
"""

from collections.abc import Iterator

import jax
import numpy as np
from scipy import stats

from resflax import scaling
from resflax.aot.chips import CHIPS, devices_of
from resflax.aot.estimate import Estimate, estimate
from resflax.benchmarks.measure import Row
from resflax.benchmarks.nets import make_setup
from resflax.published import TPU_V3_MS

TOPOLOGY = 'v3:2x2'
IMAGES = 128
# Bytes of memory for each output of a convolution, about: what can certainly
# not fit is not compiled.
BYTES_PER_ACTIVATION = 5


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles the eleven published models for TPU v3 (quick: three)."""
  devices = devices_of(TOPOLOGY)
  models = list(TPU_V3_MS.items())[:: 5 if quick else 1]
  estimated = {}
  for (variant, resolution), published in models:
    found = fitting(variant, resolution, devices)
    ms = found.estimated_ms * IMAGES / found.images
    estimated[variant, resolution] = ms
    yield Row(
      f'{variant} at {resolution}, from {found.images} images on a core',
      *(ms, 'ms, estimated', ms / published, 'TPU v3, published'),
    )
  yield from _summary(estimated)


def fitting(
  variant: str, resolution: int, devices: list[jax.Device]
) -> Estimate:
  """Returns the estimate for the most images that fit, a power of two.

  Args:
    variant: of either family.
    resolution: pixels a side.
    devices: of `TOPOLOGY`.
  """
  chip = CHIPS['v3']
  activations = scaling.totals(scaling.count(variant, resolution)).activations
  images, memory = IMAGES, chip.memory / chip.cores
  while images * activations * BYTES_PER_ACTIVATION > memory:
    images //= 2
  while True:
    setup = make_setup(
      variant,
      resolution=resolution,
      batch_size=images * len(devices),
      precision='bfloat16',
      devices=devices,
      scan_blocks='on',
      norm={'momentum': 0.9, 'group_size': images},
    )
    found = estimate(setup, 'train', resolution, chip)
    if found.fits:
      return found
    images //= 2


def _summary(estimated: dict) -> Iterator[Row]:
  published = [TPU_V3_MS[key] for key in estimated]
  ours = list(estimated.values())
  logs = np.log(np.divide(ours, published))
  yield Row('median |log ratio|', float(np.median(np.abs(logs))), '')
  without = np.abs(logs - np.median(logs))
  yield Row('the same, less a common factor', float(np.median(without)), '')
  rank = stats.spearmanr(ours, published).statistic
  yield Row("rank order, Spearman's coefficient", float(rank), '')
  first, last = ours[0], ours[-1]
  yield Row(
    *('largest over smallest', last / first, 'times'),
    *(last / first / (published[-1] / published[0]), 'TPU v3, published'),
  )
