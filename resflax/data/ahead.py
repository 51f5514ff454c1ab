"""Work done ahead of its consumer, in threads or processes, and in order."""

import dataclasses
import itertools
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing import resource_tracker
from typing import TypeVar

import grain

from resflax.errors import LostPeerError, ResflaxError, UsageError

T = TypeVar('T')

MAX_THREADS = 16

# How Grain says that a worker process is gone.
_KILLED = re.compile(r'Worker process was terminated .* exit code (-?\d+)')


def ahead(
  make: Callable[[int], T], start: int, stop: int, workers: int = 0
) -> Iterator[T]:
  """Yields `make(start)`, ..., `make(stop - 1)`.

  Threads hold `MAX_THREADS + 2` results at most: 2 beyond those in the making.
  They and the workers end with the iterator. Where there are workers, a signal
  has to be noted and obeyed between results: an exception that it raises inside
  of Grain may leak shared memory, or have the end wait for a lock.

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
  # Neither an error nor the end, which is one, passes through Grain: they hold
  # a worker's last batch in a cycle, where Grain and the garbage collector both
  # close its shared memory, and it leaks.
  end = sys.maxsize if workers else stop
  dataset = (
    grain.MapDataset.range(start, end)
    .map(_Attempt(make, stop))
    .to_iter_dataset(
      grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + 2)
    )
  )
  if workers:
    dataset = dataset.mp_prefetch(
      grain.MultiprocessingOptions(num_workers=workers), _end_with_parent
    )
  return _closing(dataset, stop - start, workers)


def check_workers(workers: int) -> None:
  """Refuses more workers than a machine can start.

  Raises:
    UsageError: more than 16, and more than 4 for each core.
  """
  most = max(16, 4 * cpus())
  if workers > most:
    raise UsageError(
      f'config.data.workers={workers} is not allowed on {cpus()} cores: it '
      f'takes an int <= {most}, and rarely gains beyond the number of cores.'
    )


def cpus() -> int:
  """The cores this process may use, not those of the machine."""
  if hasattr(os, 'sched_getaffinity'):  # not on macOS
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


@dataclasses.dataclass(frozen=True)
class _Attempt:
  """Makes a result, or returns the error; nothing from `stop` on."""

  make: Callable
  stop: int

  def __call__(self, index: int) -> object:
    try:
      return self.make(index) if index < self.stop else ()
    except ResflaxError as error:
      return error


def _closing(dataset: grain.IterDataset, count: int, workers: int) -> Iterator:
  """Ends threads and workers when the consumer stops, early or not."""
  iterator = iter(dataset)
  try:
    results = itertools.islice(iterator, count)
    first = _begin(results) if workers else []
    while first:
      yield _raised(first.pop())  # what has a name here would be held on to
    yield from map(_raised, results)
  except RuntimeError as error:
    killed = _KILLED.search(str(error))
    if not killed:
      raise
    raise LostPeerError(
      f'A data worker ended with exit code {killed[1]} (-9: killed, often for '
      'want of memory). Lower config.data.workers or config.batch_size; the '
      'same command goes on from the last checkpoint.'
    ) from None
  finally:
    iterator.close()


def _raised(result: T | ResflaxError) -> T:
  if isinstance(result, ResflaxError):
    raise result
  return result


def _begin(results: Iterator[T]) -> list[T]:
  """Returns the first result, if there is one; workers begin deaf to signals.

  A terminal sends SIGINT to every process of a command, a scheduler SIGTERM,
  but one has to decide. A worker that ignores them by itself does so after
  seconds of importing; what the thread that starts it blocks, it never sees.
  """
  # Its start takes the block away from the thread that needs it first.
  resource_tracker.ensure_running()
  first = Future()

  def begin():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
      first.set_result(list(itertools.islice(results, 1)))
    except BaseException as error:
      first.set_exception(error)

  threading.Thread(target=begin, daemon=True).start()
  return first.result()


def _end_with_parent(index: int, count: int) -> None:
  """Has a worker end when its parent was killed; Grain's would wait forever."""
  del index, count

  def watch():
    multiprocessing.parent_process().join()
    os._exit(1)

  threading.Thread(target=watch, daemon=True).start()
