"""Nineteen models, what was published of them, and rows of what they cost."""

import json
import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from resflax.errors import UsageError
from resflax.published import EFFICIENTNETS, RS_TOP1, TPU_V3_MS, V100_S
from resflax.sweeps.frontier import cost_at


class Model(NamedTuple):
  """A model at its published resolution.

  Attributes:
    label: what tables call it.
    variant: of `build_model`.
    resolution: pixels a side.
    top1: published, in percent.
    published: milliseconds for an image in a training step, by device.
  """

  label: str
  variant: str
  resolution: int
  top1: float
  published: dict[str, float]


TPU, GPU = 'TPU v3 step, published', 'V100 step, published'


def _published(tpu_ms: int, v100_s: float) -> dict[str, float]:
  """Returns the published times of 128 images as those of one."""
  return {TPU: tpu_ms / 128, GPU: v100_s * 1e3 / 128}


RESNETS = tuple(
  Model(
    f'{variant.replace("resnet_rs_", "RS-")} @ {resolution}',
    *(variant, resolution, top1),
    _published(TPU_V3_MS[variant, resolution], V100_S[variant, resolution]),
  )
  for (variant, resolution), top1 in RS_TOP1.items()
)
BASELINE = tuple(
  Model(
    f'{name} @ {row.resolution}',
    *(f'efficientnet_{name.lower()}', row.resolution, row.top1),
    _published(row.tpu_ms, row.v100_s),
  )
  for name, row in EFFICIENTNETS.items()
)
MODELS = (*RESNETS, *BASELINE)
# What the paper sets side by side, and says of it: TPU v3, V100.
QUOTED = (
  *(
    ('RS-101 @ 160', 'B2 @ 260', 1.8, 2.1),
    ('RS-152 @ 224', 'B4 @ 380', 2.2, 2.7),
  ),
  *(
    ('RS-152 @ 256', 'B4 @ 380', 1.7, 2.3),
    ('RS-270 @ 256', 'B5 @ 456', 1.9, 2.2),
  ),
  ('RS-350 @ 256', 'B6 @ 528', 2.7, 3.3),
)


class Measured(NamedTuple):
  """One model in one way of measuring; a line of the file.

  Attributes:
    label: of the model.
    way: one of those in `WAYS`.
    ms: for an image, on one device.
    images: a step, on one device.
    device: what it is for, or ran on.
    seconds: that the measurement took, compilation included, or None.
    jax: its version.
  """

  label: str
  way: str
  ms: float
  images: int
  device: str
  seconds: float | None
  jax: str


def read(path: pathlib.Path | None) -> list[Measured]:
  """Returns the rows of a file; none where there is none yet.

  Raises:
    UsageError: it has no place to lie, or holds something else.
  """
  if path is None or not path.exists():
    if path and not path.parent.is_dir():
      raise UsageError(f'--kept={path}: the folder {path.parent} is missing.')
    return []
  rows = []
  for number, line in enumerate(path.read_text().splitlines(), start=1):
    try:
      rows.append(Measured(**json.loads(line)))
    except (TypeError, ValueError) as error:
      raise UsageError(
        f'--kept={path}: line {number} is no row of `frontier` ({error}): '
        'remove it, or name another file.'
      ) from error
  return rows


def append(path: pathlib.Path | None, row: Measured) -> None:
  """Writes one more line, where there is a file."""
  if path is not None:
    with path.open('a') as file:
      file.write(json.dumps(row._asdict()) + '\n')


def cost_of(known: dict, way: str, model: Model) -> float | None:
  """Returns a model's milliseconds for an image, or None.

  Args:
    known: rows by label and way.
    way: of a row, or a device that the model was published on.
    model: which.
  """
  if way in model.published:
    return model.published[way]
  row = known.get((model.label, way))
  return row and row.ms


def points(
  family: Sequence[Model], cost: Callable[[Model], float | None]
) -> list[tuple[Model, float]]:
  """Returns the models of a family whose cost is known, with it."""
  found = ((model, cost(model)) for model in family)
  return [(model, ms) for model, ms in found if ms is not None]


def speed_ups(cost: Callable[[Model], float | None]) -> dict[str, float]:
  """Returns how many times less a ResNet-RS costs at equal accuracy, by label.

  Of those that lie within the accuracies of the other family, whose cost is
  read off its frontier.

  Args:
    cost: of a model, or None where it is not known.
  """
  theirs = points(BASELINE, cost)
  if not theirs:
    return {}
  levels = [model.top1 for model, _ in theirs]
  costs = [ms for _, ms in theirs]
  found = {
    model.label: cost_at(model.top1, costs, levels) / ms
    for model, ms in points(RESNETS, cost)
  }
  return {label: ratio for label, ratio in found.items() if ratio == ratio}
