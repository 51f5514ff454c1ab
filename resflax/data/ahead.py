"""Work done ahead of its consumer, in threads or processes, and in order."""

import os
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import grain

from resflax.errors import LostPeerError

T = TypeVar('T')

MAX_THREADS = 16

# How Grain says that a worker process is gone.
_KILLED = re.compile(r'Worker process was terminated .* exit code (-?\d+)')


def ahead(
  make: Callable[[int], T], start: int, stop: int, workers: int = 0
) -> Iterator[T]:
  """Yields `make(start)`, ..., `make(stop - 1)`.

  Threads hold `MAX_THREADS + 2` results at most: 2 beyond those in the making.
  They and the workers end with the iterator.

  Args:
    make: picklable where there are workers.
    start: the first argument.
    stop: the one after the last.
    workers: processes; 0 = threads, which suffice where the work lets go of
      the GIL.

  Raises:
    LostPeerError: a worker was killed.
  """
  threads = 1 if workers else min(MAX_THREADS, cpus())
  dataset = (
    grain.MapDataset.range(start, stop)
    .map(make)
    .to_iter_dataset(
      grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + 2)
    )
  )
  if workers:
    dataset = dataset.mp_prefetch(
      grain.MultiprocessingOptions(num_workers=workers)
    )
  return _closing(dataset)


def cpus() -> int:
  """The cores this process may use, not those of the machine."""
  if hasattr(os, 'sched_getaffinity'):  # not on macOS
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def _closing(dataset: grain.IterDataset) -> Iterator:
  """Ends threads and workers when the consumer stops, early or not."""
  iterator = iter(dataset)
  try:
    yield from iterator
  except RuntimeError as error:
    killed = _KILLED.search(str(error))
    if not killed:
      raise
    raise LostPeerError(
      f'A data worker ended with exit code {killed[1]} (-9: killed, often for '
      'want of memory). Lower config.data.workers or config.batch_size; the '
      'same command goes on from the last checkpoint.'
    ) from error
  finally:
    iterator.close()
