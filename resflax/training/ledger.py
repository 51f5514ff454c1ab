"""Where the time of a run goes, over its restarts: its goodput.

Every second is on one account, that of what the main thread does. Two more are
beside the clock: compilation that nobody waited for, and work that was lost.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping


class Ledger:
  """Seconds by account.

  Attributes:
    visits: how often the main thread has gone on to something else.
  """

  def __init__(self, account: str = 'setup'):
    """Starts the clock, on one account."""
    self.visits = 0
    self._seconds: dict[str, float] = {}
    self._stack = [account]
    self._since = time.monotonic()

  @property
  def account(self) -> str:
    """What the main thread does now."""
    return self._stack[-1]

  def __getitem__(self, account: str) -> float:
    """The seconds on an account."""
    return self.seconds().get(account, 0.0)

  def beat(self) -> None:
    """Says that the main thread goes on."""
    now = time.monotonic()
    self.add(self.account, now - self._since)
    self._since = now
    self.visits += 1

  @contextlib.contextmanager
  def on(self, account: str) -> Iterator[None]:
    """Puts what is inside on another account."""
    self.beat()
    self._stack.append(account)
    try:
      yield
    finally:
      self.beat()
      self._stack.pop()

  def add(self, account: str, seconds: float) -> None:
    """Adds to an account."""
    self._seconds[account] = self._seconds.get(account, 0.0) + seconds

  def go_on(self, seconds: Mapping[str, float]) -> None:
    """Adds what earlier starts of the run had."""
    for account, amount in seconds.items():
      self.add(account, amount)

  def seconds(self) -> dict[str, float]:
    """Returns the seconds by account so far."""
    now = time.monotonic() - self._since
    before = self._seconds.get(self.account, 0.0)
    return {**self._seconds, self.account: before + now}
