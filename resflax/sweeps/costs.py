"""What a run costs by arithmetic: an image, and all of training."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resflax import scaling
from resflax.resolution import Stage
from resflax.sweeps.points import compute


class Cost(NamedTuple):
  """Of a run.

  Attributes:
    params: trainable parameters.
    macs: of an image in the last stage.
    compute: of training, in FLOPs; see `points`.
  """

  params: int
  macs: int
  compute: float


def cost_of(
  model: Mapping,
  stages: Sequence[Stage],
  total_batches: int,
  batch_size: int,
  *,
  num_classes: int,
  in_channels: int,
) -> Cost:
  """Returns what a run costs.

  Args:
    model: its fields, decided.
    stages: of resolution.
    total_batches: of the run.
    batch_size: examples a batch.
    num_classes: outputs of the classifier.
    in_channels: of an image.
  """
  counts = {
    stage.resolution: scaling.totals(
      scaling.count(
        model,
        stage.resolution,
        num_classes=num_classes,
        in_channels=in_channels,
      )
    )
    for stage in stages
  }
  macs = {resolution: count.macs for resolution, count in counts.items()}
  last = counts[stages[-1].resolution]
  flops = compute(stages, total_batches, batch_size, macs)
  return Cost(last.params, last.macs, flops)
