"""Paths as users give them."""

import os


def absolute(path: str | os.PathLike) -> str:
  """Returns a path that means the same from every folder.

  `~` is the home folder, which a shell does not replace inside of
  `--workdir=~/run`. What names its own store, as gs:// does, stays as it is.
  """
  text = os.fspath(path)
  return text if '://' in text else os.path.abspath(os.path.expanduser(text))
