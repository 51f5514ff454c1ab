"""Whether a config can be run on these devices: data, batch, disk, memory."""

import math
from collections.abc import Mapping

import jax

from resflax import schema
from resflax.data import sources
from resflax.data.ahead import check_workers
from resflax.data.described import load_or_describe
from resflax.doctor import budget, images
from resflax.doctor.findings import Finding, failed, ok, weighed
from resflax.errors import DataError, LostPeerError, ResflaxError, UsageError
from resflax.parallel import distributed
from resflax.training.assemble import assemble
from resflax.training.setup import Setup
from resflax.training.teacher import taught

CONFIG, DATA, BATCH, MEMORY = 'config', 'data set', 'batch size', 'memory'


def examine(
  config: Mapping, processes_here: int
) -> tuple[list[Finding], Setup | None]:
  """Returns what is wrong with a run, and its pieces where they fit.

  Args:
    config: nested, possibly partial.
    processes_here: of the run on this host, which share its memory.
  """
  try:
    values = schema.complete(config)
  except UsageError as error:
    return [failed(CONFIG, error)], None
  dataset, wrong = _open(values)
  found = [wrong] if wrong else []
  if dataset is None:
    return found, None
  batch = _batch(values, jax.device_count())
  found.append(batch)
  if batch.exit_code:  # what else there is, as if one of the nearest were set
    config = {**config, 'batch_size': nearest(values, jax.device_count())[-1]}
  try:
    setup = taught(assemble(config, source=dataset))
    check_workers(setup.resolved['data.workers'])
    if not wrong:
      found.append(images.examine(DATA, setup))
  except ResflaxError as error:
    name = DATA if isinstance(error, DataError) else CONFIG
    return [*found, failed(name, error)], None
  found.append(ok(CONFIG, f'{setup.resolved.total_steps:,} steps'))
  if not wrong:
    found.append(_memory(setup, processes_here))
  return found, setup


def _open(values: Mapping) -> tuple[sources.Dataset | None, Finding | None]:
  """Returns the data set, or its description and what is wrong with it."""
  name, data_dir = values['data.name'], values['data.data_dir']
  try:
    return distributed.main_first(
      lambda: sources.load_dataset(name, data_dir)
    ), None
  except ResflaxError as error:
    wrong = failed(DATA, error)
  try:
    return load_or_describe(name, data_dir), wrong
  except ResflaxError:
    return None, wrong


def _batch(values: Mapping, devices: int) -> Finding:
  size, unit = values['batch_size'], unit_of(values, devices)
  if size % unit:
    sizes = ' and '.join(map(str, nearest(values, devices)))
    return failed(
      BATCH,
      UsageError(
        f'{size} does not fit {devices} devices: it has to be a multiple of '
        f'{unit}.'
      ),
      f'--config.batch_size: the nearest are {sizes}',
    )
  return ok(BATCH, f'{size}, which is {size // devices} a device')


def unit_of(values: Mapping, devices: int) -> int:
  """Returns what a batch has to be a multiple of.

  Every device takes as many rows; groups of batch norm are whole, within the
  part of a device where gradients accumulate.

  Args:
    values: of a config, by path.
    devices: in all.
  """
  group = values['model.norm.group_size']
  parts = values['optimizer.accumulate']
  if parts == 1:
    return math.lcm(devices, group or 1)
  return devices * parts * (group or (64 if devices > 1 else 1))


def nearest(values: Mapping, devices: int) -> list[int]:
  """Returns the legal batch sizes next to the config's, the larger one last."""
  unit = unit_of(values, devices)
  below = values['batch_size'] // unit * unit
  return [size for size in (below, below + unit) if size]


def _memory(setup: Setup, processes_here: int) -> Finding:
  parts = budget.memory_bytes(setup)
  free = budget.free_memory() // processes_here
  need = sum(parts.values())
  said = (
    f'{budget.size(need)} of {budget.size(free)} free ({budget.told(parts)})'
  )
  advice = 'lower config.batch_size or config.data.workers'
  return weighed(MEMORY, need, free, LostPeerError(said), advice)
