"""What a run will take of disk and memory, from shapes alone."""

import math
import os
import pathlib
from collections.abc import Mapping

import jax
import numpy as np
from jaxtyping import PyTree

from resflax.data import ahead
from resflax.data.lanes import LANES, WINDOW
from resflax.data.memory import DecodedRecords
from resflax.data.records import Records
from resflax.data.splits import Picked
from resflax.training.setup import Setup

PARTS = ('params', 'batch_stats', 'opt_state', 'ema')

_CGROUP = pathlib.Path('/sys/fs/cgroup')  # of a container or a Slurm job


def state_bytes(setup: Setup) -> dict[str, int]:
  """Returns the bytes of a checkpoint by its parts, before compression."""
  saved = setup.saved_shapes
  return {part: _bytes_of(getattr(saved, part)) for part in PARTS}


def checkpoints_kept(setup: Setup) -> int:
  """Returns how many checkpoints lie on disk at most, one in the making."""
  get = setup.resolved.values
  steps = setup.resolved.total_steps
  every = steps // get['keep.every'] if get['keep.every'] else 0
  best = 1
  return get['keep.last'] + best + every + 1


def memory_bytes(setup: Setup) -> dict[str, int]:
  """Returns what this process needs of the host's memory, by what for.

  Not the interpreter and its libraries, about half a gigabyte.
  """
  get, process_count = setup.resolved.values, jax.process_count()
  on_host = setup.mesh.devices.flat[0].platform == 'cpu'
  copies = 1 + (3 if on_host else 0)  # to be saved; state, gradients, the next
  names = {get[f'data.{name}_split'] for name in ('train', 'val', 'test')}
  records = {str(whole): whole for whole in map(_whole, _splits(setup, names))}
  # Every worker decodes and keeps for itself.
  readers = max(1, get['data.workers'])
  return {
    'state': copies * sum(state_bytes(setup).values()),
    'batches': _batches_ahead(setup) * _batch_bytes(setup) // process_count,
    'images kept': readers * sum(map(_kept, records.values())),
    'windows': _windows(setup, process_count),
  }


def free_memory() -> int:
  """Returns the bytes that are free here: of the machine, or of its group."""
  free = [os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')]
  if (meminfo := pathlib.Path('/proc/meminfo')).exists():
    lines = dict(line.split(':') for line in meminfo.read_text().splitlines())
    free = [int(lines['MemAvailable'].split()[0]) << 10]
  limit, used = _CGROUP / 'memory.max', _CGROUP / 'memory.current'
  if limit.exists() and (most := limit.read_text().strip()) != 'max':
    free.append(int(most) - int(used.read_text()))
  return min(free)


def told(parts: Mapping[str, int]) -> str:
  """Returns sizes by their names, the large ones first."""
  large = sorted(parts.items(), key=lambda item: -item[1])
  return ', '.join(f'{name} {size(n)}' for name, n in large if n)


def size(count: int | float) -> str:
  """Returns bytes as people read them."""
  for unit in ('B', 'kB', 'MB', 'GB'):
    if count < 999.5:
      return f'{count:.3g} {unit}'
    count /= 1000
  return f'{count:.3g} TB'


def _bytes_of(shapes: PyTree) -> int:
  return sum(
    math.prod(x.shape) * np.dtype(x.dtype).itemsize
    for x in jax.tree.leaves(shapes)
  )


def _splits(setup: Setup, names: set[str]) -> list[Records]:
  return [setup.dataset.split(name) for name in sorted(names)]


def _whole(records: Records) -> Records:
  """The split that a part is of, which is kept as a whole."""
  return records.records if isinstance(records, Picked) else records


def _kept(records: Records) -> int:
  """Returns the bytes of images that stay decoded."""
  if not isinstance(records, DecodedRecords):
    return 0
  return len(records) * records[0]['image'].nbytes


def _batches_ahead(setup: Setup) -> int:
  """Returns how many local batches are made ahead, see `data.ahead`."""
  workers = setup.resolved['data.workers']
  threads = min(ahead.MAX_THREADS, ahead.cpus())
  return 4 * workers or threads + 2


def _batch_bytes(setup: Setup) -> int:
  """Returns the bytes of the largest step's images."""
  rows = setup.resolved['batch_size'] * setup.dataset.info.channels
  return max(s.batches * s.resolution**2 for s in setup.stages) * rows


def _windows(setup: Setup, process_count: int) -> int:
  """Returns the bytes of encoded images that `shuffle=lanes` holds."""
  get = setup.resolved.values
  if get['data.shuffle'] != 'lanes':
    return 0
  rows = get['batch_size'] // process_count
  most = rows * max(stage.batches for stage in setup.stages)
  image = setup.dataset.split(get['data.train_split'])[0]['image']
  # See `data.lanes.windows_kept`.
  sources = 1 + len(get['data.mixture.sources'])
  held = sources * LANES // process_count * WINDOW + 18 * most
  return held * memoryview(image).nbytes
