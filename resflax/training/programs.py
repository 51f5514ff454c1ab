"""Compiles every program of a run ahead of its first use, in a thread."""

import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

from resflax.errors import PreemptedError

_POLL = 0.2  # seconds between questions whether to stop


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
    self._interrupted = lambda: False
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

  def heed(self, interrupted: Callable[[], bool]) -> None:
    """Lets `get` stop waiting where this says so; compiling takes minutes."""
    self._interrupted = interrupted

  def get(self, name: Hashable):
    """Returns a program, waiting for it if need be.

    Raises:
      PreemptedError: interrupted before it was there.
    """
    start = time.monotonic()
    future = self._futures[name]
    while not future.done():
      if self._interrupted():
        raise PreemptedError(
          'Stopped while a program was compiled; what was trained is saved. '
          'The same command goes on from there.'
        )
      wait([future], _POLL)
    self.exposed_s += time.monotonic() - start
    return future.result()

  def wait_for_all(self) -> None:
    """Waits until all are compiled."""
    for name in self._futures:
      self.get(name)

  def close(self) -> None:
    """Forgets what has not been started."""
    self._pool.shutdown(wait=False, cancel_futures=True)
