"""What the runs of a sweep spent and reached, one point a design.

A design point is a config without its seed: runs that differ in the seed alone
are draws of it. Compute is that of training over the stages of resolution,
6 * MACs(resolution) * examples: a multiplication and an addition, forward once
and backward twice (Hoffmann et al. 2022, appendix F; theirs is per token).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from resflax import path, scaling
from resflax.errors import StorageError, UsageError
from resflax.fields import flat
from resflax.report.read import Run, read_run
from resflax.resolution import Stage, steps_from

IMAGES = 128  # whose step times are told in, as those of the TPU v3 are


class Point(NamedTuple):
  """A design, what it costs, and what its seeds reached.

  Attributes:
    label: what tables call it.
    config: hash of all it computes, without the seed.
    group: hash of the data, their number and the schedule's length.
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
  folders: tuple[str, ...] = ()
  commits: tuple[str | None, ...] = ()

  def log(self, metric: str) -> np.ndarray:
    """Returns the log of a metric, a seed each."""
    return np.log(getattr(self, metric))


def read_points(workdir: str) -> list[Point]:
  """Returns the design points of a sweep's finished runs, cheapest first.

  Raises:
    UsageError: not a sweep's folder, or a run reached what has no log.
    StorageError: a run's folder cannot be read.
  """
  folder = Path(workdir)
  file = folder / 'runs.jsonl'
  if not file.exists():
    raise UsageError(
      f'{workdir} is not the folder of a sweep with finished runs: it has no '
      'runs.jsonl. Give the --workdir of scripts.sweep.'
    )
  try:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    runs = [_single(row['label'], folder / row['name']) for row in rows]
  except (ValueError, KeyError) as error:
    if isinstance(error, UsageError):
      raise
    raise StorageError(f"Cannot read '{file}': {error!r}.") from error
  return merge(runs)


def merge(runs: Sequence[Point]) -> list[Point]:
  """Joins runs that differ in the seed alone."""
  designs: dict[str, list[Point]] = {}
  for run in sorted(runs, key=lambda run: run.compute):
    designs.setdefault(run.config, []).append(run)
  return [_joined(draws) for draws in designs.values()]


def _joined(draws: Sequence[Point]) -> Point:
  parts = {
    name: sum((getattr(draw, name) for draw in draws), ())
    for name in ('seeds', 'error', 'loss', 'folders', 'commits')
  }
  times = [draw.step_ms for draw in draws if draw.step_ms]
  parts['step_ms'] = float(np.median(times)) if times else None
  return draws[0]._replace(**parts)


def _single(label: str, folder: Path) -> Point:
  """Returns the point of one run."""
  run = read_run(folder)
  if run.evaluation is None:
    raise StorageError(f"'{folder}' is not finished: it has no evaluation.npz.")
  config = run.config
  last = run.last('test/top1')
  stages = stages_of(run)
  counts = {
    stage.resolution: counted(run, stage.resolution) for stage in stages
  }
  final = counts[stages[-1].resolution]
  return Point(
    label=label,
    config=digest(config, without=('seed',)),
    group=_group(run),
    depths=tuple(config['model']['depths']),
    width=config['model']['width'],
    resolution=stages[-1].resolution,
    epochs=last['epoch'],
    compute=compute(
      stages,
      config['schedule']['total_steps'],
      config['batch_size'],
      {size: cost.macs for size, cost in counts.items()},
    ),
    macs=final.macs,
    params=final.params,
    step_ms=_step_ms(run),
    tpu_ms=_tpu_ms(run, stages[-1].resolution),
    seeds=(config['seed'],),
    error=(_positive(1 - last['test/top1'], folder),),
    loss=(_cross_entropy(run),),
    folders=(str(folder),),
    commits=(run.environment.get('commit'),),
  )


def compute(
  stages: Sequence[Stage],
  total_steps: int,
  batch_size: int,
  macs: Mapping[int, int],
) -> float:
  """Returns the FLOPs of training: 6 * MACs * examples, stage by stage.

  Args:
    stages: of resolution.
    total_steps: of the run.
    batch_size: examples a step.
    macs: of one image, by resolution.
  """
  return float(
    sum(
      6 * macs[stage.resolution] * steps * batch_size
      for stage, steps in steps_from(stages, 0, total_steps)
    )
  )


def stages_of(run: Run) -> list[Stage]:
  """Returns the stages that a run wrote to its config."""
  return [Stage(*row) for row in run.derived['resolution.table']['value']]


def counted(run: Run, resolution: int) -> scaling.Cost:
  """Returns what a run's net costs for an image."""
  evaluation = run.evaluation
  costs = scaling.count(
    run.config['model'],
    resolution,
    num_classes=len(evaluation.class_names),
    in_channels=evaluation.sample_image.shape[-1],
  )
  return scaling.totals(costs)


def digest(config: Mapping, without: Sequence[str] = ()) -> str:
  """Returns a hash of a config's fields, without some of them."""
  kept = {name: v for name, v in flat(config) if name not in without}
  text = json.dumps(kept, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:8]


def _group(run: Run) -> str:
  config = run.config
  data = {name: config['data'][name] for name in ('name', 'train_split')}
  examples = config['schedule']['total_steps'] * config['batch_size']
  return digest({**data, 'examples': examples})


def _step_ms(run: Run) -> float | None:
  """Returns the median of the last stage, of 128 images."""
  last = run.last('images_per_second').get('resolution')
  speeds = [
    row['images_per_second']
    for row in run.rows
    if row.get('resolution') == last and row.get('images_per_second')
  ]
  return float(1000 * IMAGES / np.median(speeds)) if speeds else None


def _tpu_ms(run: Run, resolution: int) -> float | None:
  """Returns the published time, or the one between published points."""
  model, classes = run.config['model'], run.evaluation.class_names
  if not model['variant'].startswith('resnet_rs_') or len(classes) != 1000:
    return None
  point = path.Point(tuple(model['depths']), resolution, model['width'])
  return point.milliseconds


def _cross_entropy(run: Run) -> float:
  """Returns that of the test split, label smoothing or not."""
  probability = run.evaluation.label_probability.astype(np.float64)
  return float(-np.log(np.maximum(probability, 1e-38)).mean())


def _positive(error: float, folder: Path) -> float:
  if not error > 0:
    raise UsageError(
      f"'{folder}' has no error: its log is not a number. Take --metric=loss."
    )
  return error
