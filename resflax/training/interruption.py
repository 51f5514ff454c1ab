"""SIGTERM and Ctrl-C: a wish where steps are trained, at once elsewhere."""

import contextlib
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator

from resflax.errors import PreemptedError

_DELAY = 0.02  # seconds until a signal that came at a bad time comes again
_MOST_DELAYS = 500  # for a program that runs within an import of its own


class Interruption:
  """Turns the first signal into a KeyboardInterrupt, or a wish for one.

  The second one ends the process at once; in a notebook or one's own program,
  which have to live on, it raises KeyboardInterrupt again. Outside the main
  thread signals cannot be caught, so there they act as always.

  Args:
    signals: to listen to.
  """

  def __init__(self, *signals: signal.Signals):
    self._signals = signals
    self._before = {}
    self._came = False
    self._awaited = False
    self._delays = 0

  def listen(self) -> None:
    """Begins."""
    if threading.current_thread() is threading.main_thread():
      self._before = {n: signal.signal(n, self._handle) for n in self._signals}
      self._hook = sys.unraisablehook
      sys.unraisablehook = self._unraisable

  def __enter__(self) -> 'Interruption':
    self.listen()
    return self

  def __exit__(self, kind, error, traceback) -> None:
    for number, handler in self._before.items():
      signal.signal(number, handler)
    if self._before:
      sys.unraisablehook = self._hook

  @property
  def raised(self) -> bool:
    """Whether a signal came while nobody awaited it.

    Then any error may be what KeyboardInterrupt has become on its way.
    """
    return self._came and not self._awaited

  @contextlib.contextmanager
  def awaited(self) -> Iterator[Callable[[], bool]]:
    """Yields what says whether a signal came; inside, it raises nothing."""
    self._awaited = True
    yield lambda: self._came
    self._awaited = False
    if self._came:  # too late for those inside to ask
      raise KeyboardInterrupt

  def _handle(self, number, frame) -> None:
    if not self._awaited and _imports(frame) and self._delays < _MOST_DELAYS:
      self._delays += 1
      return self._again(number)
    for each, before in self._before.items():
      raises = before is signal.default_int_handler
      signal.signal(each, before if raises else signal.SIG_DFL)
    self._came = True
    if not self._awaited:
      raise KeyboardInterrupt

  def _unraisable(self, unraisable) -> None:
    """Raises it once more where Python had to drop it.

    As in a destructor, or in JAX's callback of the garbage collector.
    """
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
      return self._hook(unraisable)
    [number, *_] = self._signals
    signal.signal(number, self._handle)
    self._again(number)

  def _again(self, number: int) -> None:
    main = threading.main_thread().ident
    threading.Timer(_DELAY, signal.pthread_kill, (main, number)).start()


def _imports(frame: types.FrameType | None) -> bool:
  """Whether a module is being imported; JAX's C code crashes on an error."""
  while frame and not frame.f_code.co_filename.startswith('<frozen importlib'):
    frame = frame.f_back
  return frame is not None


@contextlib.contextmanager
def preemptible(*signals: signal.Signals) -> Iterator[Interruption]:
  """Listens to SIGTERM and SIGINT, or to what is given.

  Raises:
    PreemptedError: one came while nobody awaited it.
  """
  signals = signals or (signal.SIGTERM, signal.SIGINT)
  with Interruption(*signals) as interruption:
    try:
      yield interruption
    except (KeyboardInterrupt, Exception):  # see `raised`
      if not interruption.raised:
        raise
      raise PreemptedError(
        'Interrupted while no step was trained: there was nothing to save. The '
        'same command goes on from the last save, or begins if there is none.'
      ) from None
