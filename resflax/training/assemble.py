"""From a config to a `Setup`: every refusal comes from here or below."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from resflax import schema
from resflax.config import Facts, Resolved, resolve
from resflax.data import sources
from resflax.data.mixture import (
  MixedDataset,
  examples_of_epoch,
  training_records,
)
from resflax.data.records import DatasetInfo
from resflax.data.splits import DefaultSplits, default_splits, parse_split
from resflax.errors import UsageError
from resflax.fields import nest
from resflax.models import build_model
from resflax.parallel import distributed
from resflax.parallel import mesh as meshes
from resflax.training import losses
from resflax.training.initial import (
  fields_of,
  initial_variables,
  read_initial,
)
from resflax.training.optimizers import USED_BY
from resflax.training.setup import Setup
from resflax.turns import ratios_of


def assemble(
  config: Mapping,
  *,
  model: Any = None,
  source: sources.Dataset | None = None,
  loss: Callable | None = None,
  devices: Sequence[jax.Device] | None = None,
) -> Setup:
  """Decides the config and builds the pieces; see `trainer.train`.

  Args:
    config: nested, possibly partial.
    model: see `trainer.train`, as for source and loss.
    source: a data set in place of `config.data.name`.
    loss: in place of `config.loss`.
    devices: to run on, or to compile for; by default those that are here.

  Raises:
    UsageError: something in the config is not allowed or contradicts another.
  """
  values = schema.complete(config)
  if model is None:
    build_model(nest(values)['model'])  # typos are refused before data are made
  dataset = source or distributed.main_first(
    lambda: sources.load_dataset(values['data.name'], values['data.data_dir'])
  )
  dataset = _mixed(values, dataset)
  _check_loss(loss, dataset)
  weights = read_initial(values)
  if weights and model is not None:
    raise UsageError(
      f'config.init.weights={values["init.weights"]} is for config.model: '
      'give the variables of a model of your own yourself, or leave it unset.'
    )
  mesh = meshes.make_mesh(devices)
  platform = mesh.devices.flat[0].platform
  facts = _facts(values, dataset, platform)
  facts = dataclasses.replace(facts, weights=fields_of(weights))
  resolved = resolve(config, facts)
  for name in ('train', 'val', 'test'):
    dataset.split(resolved[f'data.{name}_split'])  # refuses what is not there
  _check_platform(resolved['platform'], platform)
  meshes.check_batch_size(resolved['batch_size'], mesh)
  _check_channels(resolved, dataset.info.channels)
  _check_optimizer(resolved, mesh.size)
  initial = initial_variables(weights, resolved, dataset.info)
  setup = build(
    resolved, dataset, mesh, model=model, loss=loss, initial=initial
  )
  _ = setup.factors  # refuses rules for layers that are not there
  return setup


def build(
  resolved: Resolved,
  dataset: sources.Dataset,
  mesh: jax.sharding.Mesh,
  *,
  model: Any = None,
  loss: Callable | None = None,
  initial: Mapping | None = None,
) -> Setup:
  """Builds the pieces of a config in which everything is decided."""
  if model is None:
    model = build_model(
      resolved.group('model'),
      num_classes=dataset.info.num_classes,
      dtype=resolved['precision'],
    )
  if loss is None:
    loss = functools.partial(
      losses.cross_entropy, label_smoothing=resolved['loss.label_smoothing']
    )
  stages = resolved['resolution.table']
  return Setup(resolved, dataset, model, mesh, stages, loss, initial=initial)


def _facts(values: Mapping, dataset: sources.Dataset, platform: str) -> Facts:
  names = ('train', 'val', 'test')
  given = {name: values[f'data.{name}_split'] for name in names}
  train, splits, reason = given['train'], {}, ''
  if not all(given.values()):
    default = default_splits(dataset.info)
    if bool(given['train']) != bool(given['val']):
      _refuse_overlap(given, default, dataset.info)
    train = train or default.train
    splits, reason = default.by_field, default.reason
  records = training_records(dataset, train)
  return Facts(
    len(records),
    splits,
    reason,
    platform,
    epoch_examples=examples_of_epoch(records),
  )


def _mixed(values: Mapping, dataset: sources.Dataset) -> sources.Dataset:
  """Returns the data set with what `config.data.mixture` adds, if anything."""
  names, data_dir = values['data.mixture.sources'], values['data.data_dir']
  if not names:
    return dataset
  others = distributed.main_first(
    lambda: [sources.load_dataset(name, data_dir) for name in names]
  )
  ratios = ratios_of(names, values['data.mixture.ratios'])
  soft = values['data.mixture.targets'] == 'soft'
  return MixedDataset(dataset, others, ratios, soft=soft)


def _check_loss(loss: Callable | None, dataset: sources.Dataset) -> None:
  if loss and isinstance(dataset, MixedDataset) and dataset.soft:
    raise UsageError(
      'A loss of your own takes one label an example: set '
      'config.data.mixture.targets=hard.'
    )


def _refuse_overlap(
  given: Mapping, default: DefaultSplits, info: DatasetInfo
) -> None:
  """One of train and val is given: the other's default must not touch it."""
  train, val = given['train'] or default.train, given['val'] or default.val
  if parse_split(train, info).may_share(parse_split(val, info)):
    one, two = ('train', 'val') if given['train'] else ('val', 'train')
    raise UsageError(
      f'config.data.{one}_split={given[one]!r} shares examples with the '
      f'default {two}_split={getattr(default, two)!r}: set '
      f'config.data.{two}_split as well.'
    )


def _check_platform(wanted: str | None, platform: str) -> None:
  if wanted and wanted != platform:
    raise UsageError(
      f'config.platform={wanted!r}, but the fastest there is here is '
      f'{platform!r}: unset it, or install jax[tpu] or jax[cuda13].'
    )


def _check_optimizer(resolved: Resolved, devices: int) -> None:
  """Refuses what the update rule does not use, and parts without groups."""
  name = resolved['optimizer.name']
  of_rules = set().union(*USED_BY.values())
  for field in sorted(of_rules - set(USED_BY[name])):
    path = f'optimizer.{field}'
    if resolved[path] != schema.field(path).default:
      raise UsageError(
        f'config.{path}={resolved[path]} does nothing for '
        f'config.optimizer.name={name}: unset it.'
      )
  parts, group = resolved['optimizer.accumulate'], 'model.norm.group_size'
  rows, rest = divmod(resolved['batch_size'], devices * parts)
  if parts > 1 and (rest or not resolved[group] or rows % resolved[group]):
    raise UsageError(
      f'config.optimizer.accumulate={parts} gives each of {devices} devices '
      f'{rows + rest / (devices * parts):g} images at a time, which '
      f'config.{group}={resolved[group]} has to divide (0, the whole batch, '
      'does not).'
    )


def _check_channels(resolved: Resolved, channels: int) -> None:
  """A mean that is not the user's follows the channels; the user's must fit."""
  if resolved['augment.lighting'] and channels == 1:
    raise UsageError(
      f'config.augment.lighting={resolved["augment.lighting"]} is for colours, '
      'and these images are grey: set it to 0.'
    )
  mean = resolved['data.mean']
  if 'data.mean' in resolved.reasons and channels == 1 != len(mean):
    for path in ('data.mean', 'data.std'):
      grey = sum(resolved[path]) / 3
      resolved.values[path] = (round(grey, 3),)
      resolved.reasons[path] += ', over the colours'
  elif len(mean) != channels:
    raise UsageError(
      f'config.data.mean={mean} has {len(mean)} numbers for images of '
      f'{channels} channels: give one a channel, config.data.std too.'
    )
