"""Reading from file systems that are slow or fail for a while."""

import errno
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from resflax.errors import StorageError

T = TypeVar('T')

DELAYS = (0.1, 0.5, 2.0, 8.0)  # seconds before each further attempt

_TRANSIENT = {
  *(errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT),
  *(errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EREMOTEIO),
}
# What array_record's RuntimeErrors begin with, and Riegeli quotes from errno.
_STATUS = re.compile(
  'UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|ABORTED'
  '|Retry policy exhausted|Input/output error|Stale file handle|timed out'
  '|Connection reset'
)


def patiently(
  read: Callable[[], T], what: object, delays: Sequence[float] = DELAYS
) -> T:
  """Returns `read()`; tries again where the storage failed, not the data.

  A failure that may pass must not look like a bad example: that would be
  replaced, and the run would depend on the weather.

  Args:
    read: what to do.
    what: it reads, for messages; asked for its text where it fails.
    delays: seconds to wait before each further attempt.

  Raises:
    StorageError: it failed each time.
  """
  waits = iter(delays)
  while True:
    try:
      return read()
    except Exception as error:
      if not is_transient(error):
        raise
      delay = next(waits, None)
      if delay is None:
        raise StorageError(
          f'Cannot read {what}: {error} ({len(delays) + 1} attempts). The same '
          'command goes on once the storage answers.'
        ) from error
      print(
        f'cannot read {what}: {error}; trying again in {delay:g} s',
        file=sys.stderr,
        flush=True,
      )
      time.sleep(delay)


def is_transient(error: Exception) -> bool:
  """Whether an error is of the storage, and may pass."""
  if isinstance(error, OSError):
    return error.errno in _TRANSIENT or isinstance(error, TimeoutError)
  return isinstance(error, RuntimeError) and bool(_STATUS.search(str(error)))
