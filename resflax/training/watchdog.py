"""A thread that ends a process that hangs, and says where it hung.

On an accelerator a collective waits for ever for a process that is alive and
does not come; heartbeats go on. So each process watches itself.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping

from resflax.errors import LostPeerError
from resflax.goodput import ACCOUNTS
from resflax.training.ledger import Ledger

SLOWER = 10  # times the longest visit so far are no hang yet
_TICK_S = 1.0


class Watchdog:
  """Ends the process when the main thread stays too long at one thing.

  Time in which the process was stopped does not count.
  """

  def __init__(
    self,
    ledger: Ledger,
    limits: Mapping[str, float],
    last_words: Callable[[], None],
    end: Callable[[int], None] = os._exit,
  ):
    """Starts to watch.

    Args:
      ledger: what the main thread does.
      limits: seconds by account; 0 = any.
      last_words: said before the end; may hang itself.
      end: of the process, given its exit code.
    """
    self._ledger, self._limits = ledger, limits
    self._last_words, self._end = last_words, end
    self._closed = threading.Event()
    self._tick = min([_TICK_S, *(s / 10 for s in limits.values() if s)])
    self._longest: dict[str, float] = {}
    self._thread = threading.Thread(
      target=self._watch, name='watchdog', daemon=True
    )
    self._thread.start()

  def close(self) -> None:
    """Stops to watch."""
    self._closed.set()
    self._thread.join()

  def _watch(self) -> None:
    visits, account, stayed, before = -1, '', 0.0, time.monotonic()
    while not self._closed.wait(self._tick):
      now = time.monotonic()
      if self._ledger.visits != visits:
        longest = max(stayed, self._longest.get(account, 0.0))
        self._longest[account] = longest
        visits, account = self._ledger.visits, self._ledger.account
        stayed = 0.0
      else:
        stayed += min(now - before, 2 * self._tick)
      before = now
      limit = self._limits.get(account, 0.0)
      if limit and stayed > max(limit, SLOWER * self._longest.get(account, 0)):
        return self._bark(account, stayed)

  def _bark(self, account: str, seconds: float) -> None:
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    print(
      f'error: nothing went on for {seconds:.0f} s ({ACCOUNTS[account]}, '
      f'config.watchdog.{account}): the stacks stand above. The same command '
      'goes on from the last save.',
      file=sys.stderr,
      flush=True,
    )
    saying = threading.Thread(target=self._last_words, daemon=True)
    saying.start()
    saying.join(5)
    self._end(LostPeerError.exit_code)
