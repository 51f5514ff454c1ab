"""Who works in a folder: a lock that ends with its process, and a heartbeat.

The lock is flock's, held by a process and by what inherits the file from it.
On one machine it says all: the kernel lets go of it however a process ends.
Between machines it depends on the file system. So who holds it touches the file
every few seconds, and to another machine a file that was touched lately is
held, whatever the lock says.
"""

import contextlib
import fcntl
import os
import pathlib
import platform
import time
from collections.abc import Iterator

BEAT_S = 10  # at most, between two touches
LIFE_S = 120  # after the last; beyond what NFS and clocks may be late
_PATIENCE_S = 1.0  # for those that only look, who lock it for a moment

_BOOT = pathlib.Path('/proc/sys/kernel/random/boot_id')


class HeldError(Exception):
  """Another process works there."""


@contextlib.contextmanager
def held(file: pathlib.Path) -> Iterator[int]:
  """Holds a file's lease; yields its descriptor, to `beat` and to inherit.

  Raises:
    HeldError: another process does.
  """
  descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
  try:
    end = time.monotonic() + _PATIENCE_S
    while not _lock(descriptor, fcntl.LOCK_EX):
      if time.monotonic() > end:
        raise HeldError(str(file))
      time.sleep(0.02)
    if _beats_elsewhere(descriptor):
      raise HeldError(str(file))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, _machine().encode(), 0)
    try:
      yield descriptor
    finally:
      os.utime(descriptor, (0, 0))  # free, without the wait of another machine
  finally:
    os.close(descriptor)


def beat(descriptor: int) -> None:
  """Says that its holder is alive."""
  os.utime(descriptor)


def is_held(file: pathlib.Path) -> bool:
  """Whether a process holds a file's lease, on whichever machine."""
  try:
    descriptor = os.open(file, os.O_RDONLY)
  except FileNotFoundError:
    return False
  try:
    free = _lock(descriptor, fcntl.LOCK_SH)
    return not free or _beats_elsewhere(descriptor)
  finally:
    os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
  try:
    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
  except BlockingIOError:
    return False
  except OSError:  # a file system without locks: the heartbeat has to do
    return not _beats(descriptor)
  return True


def _beats_elsewhere(descriptor: int) -> bool:
  """Whether a file beats that a process of another machine holds, or held."""
  if os.pread(descriptor, 100, 0) == _machine().encode():
    return False
  return _beats(descriptor)


def _beats(descriptor: int) -> bool:
  found = os.fstat(descriptor)
  return found.st_size > 0 and time.time() - found.st_mtime < LIFE_S


def _machine() -> str:
  """Names the kernel, whose locks are true: containers may share it."""
  if _BOOT.exists():
    return _BOOT.read_text().strip()
  return platform.node()
