"""Design points: what a design costs, and what its seeds reached.

A design point is a config without its seed: runs that differ in the seed alone
are draws of it. Compute is that of training over the stages of resolution,
6 * MACs(resolution) * examples: a multiplication and an addition, forward once
and backward twice, as Kaplan et al. 2020, section 2.1, count it for tokens.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from resflax.batches import num_steps
from resflax.errors import UsageError
from resflax.resolution import Stage, steps_from

IMAGES = 128  # whose step times are told in, as those of the TPU v3 are


class Point(NamedTuple):
  """A design, what it costs, and what its seeds reached.

  Attributes:
    label: what tables call it.
    config: hash of all it computes, without the seed.
    group: hash of the data, their number and the schedule's length.
    recipe: hash of all but the seed and the net's variant, depths and width.
    depths: blocks of the stages.
    width: multiplies all features.
    resolution: pixels of the last stage.
    epochs: passes over the unique examples.
    compute: of training, in FLOPs.
    macs: of an image in the last stage.
    params: trainable parameters.
    step_ms: measured, of 128 images in the last stage, or None.
    tpu_ms: of the same on a core of a TPU v3, or None where not known.
    seeds: of the runs.
    error: held-out, 0 to 1, a seed each.
    loss: held-out cross-entropy in nats, without smoothing, a seed each.
    train_loss: the same on their training images, un-augmented, or none where
      it was not measured.
    folders: of the runs.
    commits: of the code they ran.
  """

  label: str
  config: str
  group: str
  depths: tuple[int, ...]
  width: float
  resolution: int
  epochs: float
  compute: float
  macs: int
  params: int
  step_ms: float | None
  tpu_ms: float | None
  seeds: tuple[int, ...]
  error: tuple[float, ...]
  loss: tuple[float, ...] = ()
  train_loss: tuple[float, ...] = ()
  recipe: str = ''
  folders: tuple[str, ...] = ()
  commits: tuple[str | None, ...] = ()

  def log(self, metric: str) -> Float[np.ndarray, ' seeds']:
    """Returns the log of a metric, a seed each."""
    return np.log(getattr(self, metric))


def merge(runs: Sequence[Point]) -> list[Point]:
  """Joins runs that differ in the seed alone.

  Raises:
    UsageError: two differ in nothing.
  """
  designs: dict[str, list[Point]] = {}
  for run in sorted(runs, key=lambda run: run.compute):
    designs.setdefault(run.config, []).append(run)
  return [_joined(draws) for draws in designs.values()]


def _joined(draws: Sequence[Point]) -> Point:
  by_seed: dict[tuple[int, ...], Point] = {}
  for draw in draws:
    if (before := by_seed.setdefault(draw.seeds, draw)) is not draw:
      raise UsageError(
        f'{before.folders[0]} and {draw.folders[0]} are one run, which would '
        'count as two seeds: move one of them out of the folder of the sweep.'
      )
  parts = {
    name: sum((getattr(draw, name) for draw in draws), ())
    for name in ('seeds', 'error', 'loss', 'folders', 'commits')
  }
  times = [draw.step_ms for draw in draws if draw.step_ms]
  parts['step_ms'] = float(np.median(times)) if times else None
  return draws[0]._replace(**parts)


def compute(
  stages: Sequence[Stage],
  total_batches: int,
  batch_size: int,
  macs: Mapping[int, int],
) -> float:
  """Returns the FLOPs of training: 6 * MACs * examples, stage by stage.

  Args:
    stages: of resolution.
    total_batches: of the run.
    batch_size: examples a batch.
    macs: of one image, by resolution.
  """
  total_steps = num_steps(stages, total_batches)
  return float(
    sum(
      6 * macs[stage.resolution] * steps * stage.batches * batch_size
      for stage, steps in steps_from(stages, 0, total_steps)
    )
  )
