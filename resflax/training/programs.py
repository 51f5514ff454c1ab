"""Compiles every program of a run ahead of its first use, in a thread."""

import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor


class Programs:
  """Compiled programs by name, in the order in which they are needed.

  One thread compiles them one after the other while the run goes on; XLA
  lets go of Python's lock while it compiles.

  Attributes:
    exposed_s: seconds that `get` has waited so far.
  """

  def __init__(self, jobs: Mapping[Hashable, Callable]):
    """Starts to compile.

    Args:
      jobs: each returns a compiled program, e.g. `lowered.compile`.
    """
    self._pool = ThreadPoolExecutor(1, thread_name_prefix='compile')
    self._compile_s = 0.0
    self.exposed_s = 0.0
    self._futures: dict[Hashable, Future] = {
      name: self._pool.submit(self._timed, job) for name, job in jobs.items()
    }

  def _timed(self, job: Callable):
    start = time.monotonic()
    program = job()
    self._compile_s += time.monotonic() - start
    return program

  @property
  def hidden_s(self) -> float:
    """Seconds of compilation that nobody had to wait for, so far."""
    return max(0.0, self._compile_s - self.exposed_s)

  def get(self, name: Hashable):
    """Returns a program, waiting for it if need be."""
    start = time.monotonic()
    program = self._futures[name].result()
    self.exposed_s += time.monotonic() - start
    return program

  def wait(self) -> None:
    """Waits until all are compiled."""
    for name in self._futures:
      self.get(name)

  def close(self) -> None:
    """Forgets what has not been started."""
    self._pool.shutdown(wait=False, cancel_futures=True)
