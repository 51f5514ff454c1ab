"""What can go wrong, and the exit code each kind ends a command with.

A library function raises one of these; `scripts` prints its single line and
exits with its code. Anything else is a bug of ours (exit code 1).
"""

import difflib
import re
import traceback
from collections.abc import Iterable
from typing import Any


class ResflaxError(Exception):
  """An error whose message is one line that says what to change."""

  exit_code = 1


class UsageError(ResflaxError, ValueError):
  """A config, flag or argument that is not allowed."""

  exit_code = 5


class NotFiniteError(ResflaxError):
  """The loss or the gradients are no longer finite."""

  exit_code = 3


class DataError(ResflaxError):
  """An example cannot be read, or a data set is not what it says."""

  exit_code = 4


class StorageError(ResflaxError):
  """The run folder cannot be written, or holds no valid checkpoint."""

  exit_code = 6


class LostPeerError(ResflaxError):
  """A process that this one needs is gone."""

  exit_code = 75


class PreemptedError(ResflaxError):
  """The run was asked to stop and has saved its state."""

  exit_code = 42


class StoppedError(ResflaxError):
  """A run that saves nothing was asked to stop."""

  exit_code = 130


def first_line(error: BaseException) -> str:
  """Returns the first line of an error, or its type where it says nothing."""
  lines = str(error).strip().splitlines()
  return lines[0] if lines else type(error).__name__


def causes(error: BaseException) -> list[BaseException]:
  """Returns an error and what led to it, the first cause last."""
  chain = [error]
  while cause := chain[-1].__cause__ or chain[-1].__context__:
    chain.append(cause)
  return chain


def not_a_run(path: Any) -> UsageError:
  """Returns the error of a folder that is not that of a run.

  Args:
    path: of the folder, an `epath.Path`.
  """
  advice = 'Give the --workdir of a scripts.train command.'
  runs = sorted(file.parent.name for file in path.glob('*/config.json'))
  if runs:
    advice = f'It holds {len(runs)} of them: give one, such as {runs[0]}.'
  return UsageError(
    f"'{path}' is not a run folder: it has no config.json. {advice}"
  )


def failure(given: str, error: BaseException) -> str:
  """Returns one line of what a user's file raises.

  Args:
    given: the flag with the file, e.g. `'--sweep=lr.py'`.
    error: that came out of it.
  """
  file = given.partition('=')[2].partition(':')[0]
  chain = causes(error)
  places = [
    (frame.lineno, each)
    for each in chain
    for frame in traceback.extract_tb(each.__traceback__)
    if frame.filename.endswith(file)
  ]
  if not places:
    return f'{given} fails with {_told(chain[-1])}'
  line, own = places[-1]
  return f'{given} fails at line {line} with {_told(own)}'


def _told(error: BaseException) -> str:
  """Returns an error's kind and first line; of a field, its name alone."""
  # ml_collections quotes the whole config.
  text = str(error)
  if match := re.search(r'Did you mean \W*(\w+)\W* instead of \W*(\w+)', text):
    return f'no field {match[2]!r}. Did you mean {match[1]!r}?'
  if match := re.search(r'Key \W*(\w+)\W* does not exist', text):
    return f'no field {match[1]!r}'
  return f'{type(error).__name__}: {first_line(error)}'


def near_miss(value: str, allowed: Iterable[str]) -> str:
  """Returns ` Did you mean 'x'?`, or nothing where no name is close."""
  close = difflib.get_close_matches(str(value), list(allowed), n=1)
  return f" Did you mean '{close[0]}'?" if close else ''


def unknown(kind: str, value: object, allowed: Iterable[str], where: str):
  """Returns the UsageError for a value that is not one of a list.

  Args:
    kind: what the value names, e.g. `'stem'`.
    value: what was given.
    allowed: every value that would have been right.
    where: the flag, field or argument to change, e.g. `'config.model.stem'`.
  """
  allowed = list(allowed)
  hint = near_miss(str(value), allowed)
  choices = f'Choose one of: {", ".join(map(str, allowed))}'
  if hint and len(allowed) > 20:
    choices = f'There are {len(allowed)}'
  return UsageError(f'Unknown {kind} {value!r}.{hint} {choices} ({where}).')
