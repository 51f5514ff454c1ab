"""From the run folders of a sweep to its design points."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from resflax import path, scaling
from resflax.efficientnets import blocks
from resflax.errors import StorageError, UsageError
from resflax.fields import flat
from resflax.report.read import Run
from resflax.resolution import Stage
from resflax.sweeps.costs import cost_of
from resflax.sweeps.folder import Member, members
from resflax.sweeps.points import IMAGES, Point, merge

_SHAPE = ('model.variant', 'model.depths', 'model.width')


def read_points(workdir: str) -> list[Point]:
  """Returns the design points of a sweep's finished runs, cheapest first.

  Raises:
    UsageError: not a sweep's folder, or its runs were tested on several data.
    StorageError: a file of the sweep cannot be read.
  """
  done = [member for member in members(workdir) if member.is_done]
  if not done:
    raise UsageError(
      f'{workdir} is not the folder of a sweep with finished runs: all of its '
      'runs are still to end. scripts.sweep goes on with them.'
    )
  for member in done:
    _check_dataset(member)
  tested = sorted({_tested(member.run) for member in done})
  if len(tested) > 1:
    raise UsageError(
      f'The runs in {workdir} were tested on {" and on ".join(tested[:3])}: '
      'their errors have no common law. Give each data set its own folder '
      '(--workdir of scripts.sweep).'
    )
  return merge([_single(m.label, m.folder, m.run) for m in done])


def _check_dataset(member: Member) -> None:
  """What a net costs depends on it; a run's own page does without."""
  for name in ('class_names', 'channels'):
    if name not in member.run.dataset:
      raise StorageError(
        f"Cannot read '{member.folder / 'dataset.json'}': it has no {name!r}. "
        'Restore this file, or delete the folder of this run.'
      )


def _tested(run: Run) -> str:
  data = run.config['data']
  return f'{data["name"]} {data["test_split"]}'


def _single(label: str, folder: Path, run: Run) -> Point:
  """Returns the point of one finished run."""
  config, model = run.config, run.config['model']
  last = run.last('test/top1')
  stages = stages_of(run)
  cost = cost_of(
    model,
    stages,
    config['schedule']['total_steps'],
    config['batch_size'],
    num_classes=len(run.dataset['class_names']),
    in_channels=run.dataset['channels'],
  )
  return Point(
    label=label,
    config=digest(config, without=('seed',)),
    group=_group(run),
    depths=blocks(model),
    width=model['width'] or 1.0,
    resolution=stages[-1].resolution,
    epochs=last['epoch'],
    **cost._asdict(),
    step_ms=_step_ms(run),
    tpu_ms=_tpu_ms(run, stages[-1].resolution),
    seeds=(config['seed'],),
    error=(_error(run, last['test/top1']),),
    loss=(_cross_entropy(run),),
    recipe=digest(config, without=('seed', *_SHAPE)),
    folders=(str(folder),),
    commits=(run.environment.get('commit'),),
  )


def stages_of(run: Run) -> list[Stage]:
  """Returns the stages that a run wrote to its config."""
  return [Stage(*row) for row in run.derived['resolution.table']['value']]


def counted(run: Run, resolution: int) -> scaling.Cost:
  """Returns what a run's net costs for an image."""
  costs = scaling.count(
    run.config['model'],
    resolution,
    num_classes=len(run.dataset['class_names']),
    in_channels=run.dataset['channels'],
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
  """Returns the published time, or the one between published points.

  None outside of the published family, whose table says nothing of it.
  """
  model, classes = run.config['model'], run.evaluation.class_names
  if not path.is_of_family(model['variant']) or len(classes) != 1000:
    return None
  point = path.Point(tuple(model['depths']), resolution, model['width'])
  return None if point.is_far else point.milliseconds


def _cross_entropy(run: Run) -> float:
  """Returns that of the test split, label smoothing or not."""
  probability = run.evaluation.label_probability.astype(np.float64)
  return float(-np.log(np.maximum(probability, 1e-38)).mean())


def _error(run: Run, top1: float) -> float:
  """Returns the error, which is counted in examples of the test split.

  Without a mistake it is half of one, for a law lives in log space.
  """
  return max(1 - top1, 0.5 / len(run.evaluation.label))
