"""Records that are read as windows of consecutive ones, ahead of their use."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from resflax.data.records import Records, read_each
from resflax.data.records import where as where_of
from resflax.errors import DataError

# Windows that a batch reads at once; the first one has to read one of each
# lane. An object store answers a request in some 0.1 s, and many at a time.
READS = 32


class WindowRecords:
  """Reads whole windows at once and hands out each of their records once.

  For orders that stay in a window until it is used up. A record is let go of
  when it is handed out, so a window in use holds half of its records on
  average. The bound is `keep * size` records; what it comes to, see
  `lanes.windows_kept`. Worker processes begin empty, and each reads and holds
  as much.

  Args:
    records: those that are read, by `__getitems__`.
    size: records in a window; windows begin at its multiples.
    keep: windows held; beyond, those that were read first are let go.
  """

  def __init__(self, records: Records, size: int, keep: int):
    self.records = records
    self.size = size
    self.keep = keep
    self._begin_empty()

  def _begin_empty(self) -> None:
    self._lock = threading.Lock()
    # In the order of reading, and by number. There may be several of one
    # number, as where an epoch begins before the one before it has ended.
    self._windows: dict[_Window, None] = {}
    self._numbered: dict[int, list[_Window]] = {}

  def __len__(self) -> int:
    return len(self.records)

  def __getitem__(self, index: int) -> dict:
    return self.records[index]

  def __getitems__(self, indices: Sequence[int]) -> list[dict | DataError]:
    """Returns records, with the error in place of one that cannot be read."""
    with self._lock:
      windows, missing = self._claim(indices)
    # A thread reads what it claims before it waits for others: no deadlock.
    if missing:
      with ThreadPoolExecutor(min(len(missing), READS)) as pool:
        list(pool.map(self._read, missing))
    return [
      window.records.result().pop(index)
      for window, index in zip(windows, indices, strict=True)
    ]

  def where(self, index: int) -> str:
    return where_of(self.records, index)

  def __repr__(self) -> str:
    return repr(self.records)

  def __getstate__(self) -> dict:
    return {'records': self.records, 'size': self.size, 'keep': self.keep}

  def __setstate__(self, state: dict) -> None:
    self.__dict__.update(state)
    self._begin_empty()

  def _claim(
    self, indices: Sequence[int]
  ) -> tuple[list['_Window'], list['_Window']]:
    """Returns the window of each record, and those this thread has to read."""
    windows, missing = [], []
    for index in indices:
      held = self._numbered.get(index // self.size, ())
      window = next((w for w in held if index in w.unclaimed), None)
      if window is None:
        window = self._add(index // self.size)
        missing.append(window)
      window.unclaimed.remove(index)
      if not window.unclaimed:
        self._drop(window)
      windows.append(window)
    for window in list(self._windows)[: -self.keep]:
      self._drop(window)
    return windows, missing

  def _add(self, number: int) -> '_Window':
    first = number * self.size
    window = _Window(number, range(first, min(first + self.size, len(self))))
    self._windows[window] = None
    self._numbered.setdefault(number, []).append(window)
    return window

  def _drop(self, window: '_Window') -> None:
    if window in self._windows:
      del self._windows[window]
      self._numbered[window.number].remove(window)
      if not self._numbered[window.number]:
        del self._numbered[window.number]

  def _read(self, window: '_Window') -> None:
    try:
      records = read_each(self.records, window.indices)
    except BaseException as error:  # of those who wait for it
      with self._lock:
        self._drop(window)
      window.records.set_exception(error)
    else:
      found = dict(zip(window.indices, records, strict=True))
      window.records.set_result(found)


class _Window:
  """Consecutive records: which of them nobody has asked for, and the rest."""

  def __init__(self, number: int, indices: range):
    self.number = number
    self.indices = indices
    self.unclaimed = set(indices)
    self.records: Future[dict[int, dict | DataError]] = Future()
