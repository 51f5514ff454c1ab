"""The TPU compiler's estimates beside the published times of ResNet-RS.

Estimates all; needs libtpu and no TPU. Blocks run in a loop in every model,
without remat; a core gets few images, so that all fit, and time is scaled.
"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from resflax.aot.chips import CHIPS, devices_of
from resflax.aot.estimate import estimate
from resflax.benchmarks.measure import Row
from resflax.benchmarks.nets import make_setup
from resflax.published import TPU_V3_MS

TOPOLOGY = 'v3:2x2'
IMAGES = 8  # a core
PUBLISHED_IMAGES = 128  # a chip


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles the eleven published models for TPU v3 (quick: three)."""
  devices, chip = devices_of(TOPOLOGY), CHIPS['v3']
  estimated = {}
  models = list(TPU_V3_MS.items())[:: 5 if quick else 1]
  for (variant, resolution), published in models:
    setup = make_setup(
      variant,
      resolution=resolution,
      batch_size=IMAGES * len(devices),
      precision='bfloat16',
      devices=devices,
      scan_blocks='on',
    )
    found = estimate(setup, 'train', resolution, chip)
    ms = found.estimated_ms * PUBLISHED_IMAGES / (IMAGES * chip.cores)
    estimated[variant, resolution] = ms
    yield Row(
      *(
        f'{variant} at {resolution}, 128 images on a chip',
        ms,
        'ms, estimated',
      ),
      *(ms / published, 'TPU v3, published'),
    )
  yield from _summary(estimated)


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
