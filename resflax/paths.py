"""Paths as users give them."""

import os
import re

# Controls, line separators, and what bytes that are not UTF-8 become.
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def absolute(path: str | os.PathLike) -> str:
  """Returns a path that means the same from every folder.

  `~` is the home folder, which a shell does not replace inside of
  `--workdir=~/run`. What names its own store, as gs:// does, stays as it is.
  """
  text = os.fspath(path)
  return text if '://' in text else os.path.abspath(os.path.expanduser(text))


def printable(path: str) -> str:
  """Returns a path as one line that can be printed and stored as UTF-8."""
  return _UNSAFE.sub(
    lambda found: found[0].encode('unicode_escape').decode(), path
  )
