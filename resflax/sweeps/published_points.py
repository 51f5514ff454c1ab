"""Published models as design points of one run each.

Accuracies are rounded to a tenth of a point, which the residuals hold beside
all else. EfficientNet's costs are rounded as well, and its length of training
is taken to be that of ResNet-RS: it moves the law's scale, not its exponent.
"""

from resflax.published import EFFICIENTNETS, PUBLISHED, RS_TOP1, TPU_V3_MS
from resflax.sweeps.points import Point
from resflax.variants import VARIANTS

EPOCHS, IMAGES = 350, 1_281_167


def resnet_rs() -> list[Point]:
  """Returns the eleven ResNet-RS of Bello et al. 2021, table 7."""
  points = []
  for (name, resolution), top1 in RS_TOP1.items():
    counts = PUBLISHED[name]
    points.append(
      _point(
        f'{name.replace("resnet_rs_", "RS-")} @ {resolution}',
        VARIANTS[name]['depths'],
        resolution,
        counts.macs[resolution],
        counts.params,
        TPU_V3_MS[name, resolution],
        top1,
      )
    )
  return sorted(points, key=lambda point: point.compute)


def efficientnets() -> list[Point]:
  """Returns the eight EfficientNets of the same table."""
  return [
    # A group each, for they grow along all axes at once.
    _point(
      name,
      *((), row.resolution, row.macs, row.params, row.tpu_ms, row.top1),
    )._replace(group=name)
    for name, row in EFFICIENTNETS.items()
  ]


def _point(label, depths, resolution, macs, params, tpu_ms, top1) -> Point:
  return Point(
    label=label,
    config='',
    group='published',
    depths=tuple(depths),
    width=1.0,
    resolution=resolution,
    epochs=float(EPOCHS),
    compute=6.0 * macs * EPOCHS * IMAGES,
    macs=macs,
    params=params,
    step_ms=None,
    tpu_ms=float(tpu_ms),
    seeds=(0,),
    error=(1 - top1 / 100,),
  )
