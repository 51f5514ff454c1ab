"""Keeps quiet what Orbax and TensorStore print of errors they raise as well.

A full disk is one line of ours; theirs are twenty tracebacks around it.
"""

import logging
import sys


def hush() -> None:
  """Drops Orbax's log below critical, and writes that end after their loop."""
  logger = logging.getLogger('absl')
  if _wanted not in logger.filters:
    logger.addFilter(_wanted)
  if not isinstance(sys.unraisablehook, _Unraisable):
    sys.unraisablehook = _Unraisable(sys.unraisablehook)


def _wanted(record: logging.LogRecord) -> bool:
  critical = record.levelno >= logging.CRITICAL
  return critical or '/orbax/' not in record.pathname.replace('\\', '/')


class _Unraisable:
  """TensorStore goes on writing when the first error has ended the loop."""

  def __init__(self, before):
    self._before = before

  def __call__(self, unraisable) -> None:
    if str(unraisable.exc_value) != 'Event loop is closed':
      self._before(unraisable)
