"""What is said before the first step: the run as it was decided."""

import math
from collections.abc import Iterator

import jax
import numpy as np

from resflax import schema
from resflax.config import Resolved, plan_of, point_of
from resflax.resolution import Stage, steps_from
from resflax.training.setup import Setup

LEAST_GROUP = 16  # images
OTHERS = 0.04  # of an average: 0.3 of a run leaves it of what was before
SMALL = 112  # pixels, half of what RandAugment's constants are meant for


def announce(setup: Setup, num_params: int, step: int) -> Iterator[str]:
  """Yields the lines: each field that is not at its default, and why."""
  resolved = setup.resolved
  for path, value in resolved.values.items():
    field = schema.FIELDS.get(path)
    if path in resolved.reasons:
      yield f'  {path} = {_plain(value)}  ({resolved.reasons[path]})'
    elif value != field.default:
      yield f'  {path} = {_plain(value)}'
  info = setup.dataset.info
  yield (
    f'{resolved["model.variant"]}: {num_params:,} parameters, '
    f'{info.num_classes} classes of {info.name} {info.version}'
  )
  devices = jax.device_count()
  per_device = resolved['batch_size'] // devices
  yield (
    f'{devices} x {jax.devices()[0].device_kind}, '
    f'{per_device} of {resolved["batch_size"]} images each'
  )
  most = resolved['batch_size'] * max(s.batches for s in setup.stages)
  epoch = setup.inputs.epoch_examples
  if epoch < most:
    yield (
      f'note: a step takes {most / epoch:.3g} '
      f'epochs of the {epoch:,.9g} training images: lower '
      'config.batch_size to see each once an epoch'
    )
  yield from notes(resolved, setup.num_examples)
  if _moves_everything(resolved):
    yield (
      "note: RandAugment's translation and cutout are pixels for images of "
      f'about 224, and the first ones have {setup.stages[0].resolution}: set '
      'config.augment.randaugment.source=scaled'
    )
  if step:
    yield f'going on from step {step}'


def notes(resolved: Resolved, num_examples: int) -> Iterator[str]:
  """What was set against a budget, and averages of too few steps or images."""
  if resolved['scaling.rule'] != 'off':
    plan = plan_of(resolved, num_examples)
    excess = plan.excess(point_of(resolved, plan))
    if excess:
      yield f'note: {excess}'
  yield from _notes_of_average(resolved)
  group = resolved['model.norm.group_size'] or resolved['batch_size']
  if group < LEAST_GROUP:
    yield (
      f'note: batch norm takes its statistics of {group} images; below '
      f'{LEAST_GROUP} they say little of others: raise config.batch_size or '
      'config.model.norm.group_size'
    )


def _notes_of_average(resolved: Resolved) -> Iterator[str]:
  if not resolved['ema.decay']:
    return
  last = resolved['resolution.table'][-1].first_step
  if last and (part := left_of_average(resolved, last)) > OTHERS:
    yield (
      f'note: {part:.0%} of the average of weights and statistics are those '
      'of earlier resolutions: lengthen the last stage, lower config.ema.decay '
      'or evaluate with --recalibrate_bn'
    )
  start = left_of_average(resolved, 0)
  if start > OTHERS and not resolved['init.weights']:
    yield (
      f'note: {start:.0%} of the average of weights are those of the random '
      'beginning: leave config.ema.dynamic at True, or lower config.ema.decay'
    )


def left_of_average(resolved: Resolved, step: int) -> float:
  """Returns the part of the last average that was there before a step."""
  stages, total = resolved['resolution.table'], resolved.total_steps
  log = 0.0
  for stage, count in steps_from(stages, step, total):
    done = max(step, stage.first_step) + np.arange(count)
    decay = np.full(count, resolved['ema.decay'] ** stage.batches)
    if resolved['ema.dynamic']:
      decay = np.minimum(decay, (1 + done) / (10 + done))
    log += float(np.log(decay).sum())
  return math.exp(log)


def _moves_everything(resolved: Resolved) -> bool:
  options = resolved.group('augment')['randaugment']
  small = resolved['resolution.table'][0].resolution < SMALL
  return bool(options['layers']) and options['source'] != 'scaled' and small


def _plain(value: object) -> object:
  """Stages as `first step: pixels`, and what else is not 1."""
  if isinstance(value, tuple) and value and isinstance(value[0], Stage):
    return ', '.join(
      f'{stage.first_step}: {stage.resolution} px'
      + (f' at {stage.strength:.3g}' if stage.strength != 1 else '')
      + (f' in {stage.batches} batches' if stage.batches != 1 else '')
      for stage in value
    )
  return value
