"""SIGTERM and Ctrl-C: a wish where steps are trained, at once elsewhere."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from resflax.errors import PreemptedError

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
  """While it is entered, the first signal ends what is inside in order.

  The second one ends the process at once; in a notebook or one's own program,
  which have to live on, it raises KeyboardInterrupt. Outside the main thread
  signals cannot be caught, so there they act as always.

  Raises:
    PreemptedError: on leaving, when a signal came while no step was trained.
  """

  def __init__(self):
    self._came = False
    self._awaited = False
    self._before = {}

  def __enter__(self) -> 'Interruption':
    if threading.current_thread() is threading.main_thread():
      self._before = {
        number: signal.signal(number, self._handle) for number in _SIGNALS
      }
    return self

  def __exit__(self, kind, error, traceback) -> None:
    for number, handler in self._before.items():
      signal.signal(number, handler)
    if kind is KeyboardInterrupt and self._came and not self._awaited:
      raise PreemptedError(
        'Interrupted while no step was trained: there was nothing to save. The '
        'same command goes on from the last save.'
      ) from None

  @contextlib.contextmanager
  def awaited(self) -> Iterator[Callable[[], bool]]:
    """Yields what says whether a signal came; inside, it raises nothing."""
    self._awaited = True
    yield lambda: self._came
    self._awaited = False
    if self._came:  # too late for those inside to ask
      raise KeyboardInterrupt

  def _handle(self, number, frame) -> None:
    del number, frame
    for each, before in self._before.items():
      raises = before is signal.default_int_handler
      signal.signal(each, before if raises else signal.SIG_DFL)
    self._came = True
    if not self._awaited:
      raise KeyboardInterrupt
