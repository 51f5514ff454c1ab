"""What was looked at, how it is, and what to do: the rows of the doctor."""

import dataclasses
import threading
from collections.abc import Callable, Sequence

from resflax.errors import LostPeerError, ResflaxError, first_line

OK, WARNING, FAILED = 'ok', 'warning', 'failed'

_SHOWN = 4  # processes named in a row
_TIGHT = 0.5  # part of what is free from which a run is warned of


@dataclasses.dataclass(frozen=True)
class Finding:
  """One thing that was looked at, by one process.

  Attributes:
    check: what was looked at.
    verdict: `ok`, `warning` or `failed`.
    found: how it is.
    to_do: what to change; empty where `found` says it, or nothing is wrong.
    exit_code: that the run itself would end with.
  """

  check: str
  verdict: str
  found: str
  to_do: str = ''
  exit_code: int = 0


@dataclasses.dataclass(frozen=True)
class Row(Finding):
  """A finding, and the processes that made it.

  Attributes:
    processes: of them; empty where there is one in all.
  """

  processes: str = ''


def ok(check: str, found: str) -> Finding:
  """Returns that something is as it should be."""
  return Finding(check, OK, found)


def warning(check: str, found: str, to_do: str = '') -> Finding:
  """Returns that a run would start, and may not do what is expected."""
  return Finding(check, WARNING, found, to_do)


def failed(check: str, error: ResflaxError, to_do: str = '') -> Finding:
  """Returns that a run would end with an error."""
  return Finding(check, FAILED, str(error), to_do, error.exit_code)


def weighed(
  check: str,
  need: int,
  free: int,
  error: ResflaxError,
  to_do: str,
) -> Finding:
  """Returns whether there is enough; more than half of it is a warning.

  Args:
    check: what is looked at.
    need: bytes that a run takes.
    free: bytes that there are.
    error: that a run would end with, and how things are.
    to_do: where they are too few.
  """
  if need > free:
    return failed(check, error, to_do)
  if need > _TIGHT * free:
    return warning(check, str(error), to_do)
  return ok(check, str(error))


def looked_at(
  check: str,
  look: Callable[[], Finding | list[Finding]],
  seconds: int | float = 120,
) -> list[Finding]:
  """Returns what a look finds; an error or none in time is a finding too.

  A device or a disk that hangs would keep the doctor as it keeps a run.

  Args:
    check: what is looked at.
    look: returns one finding or several.
    seconds: that it may take.
  """
  found = []

  def try_it():
    try:
      looks = look()
      found.extend(looks if isinstance(looks, list) else [looks])
    except ResflaxError as error:
      found.append(failed(check, error))
    except Exception as error:  # what a run would end with a traceback for
      said = f'{type(error).__name__}: {first_line(error)}'
      found.append(Finding(check, FAILED, said, exit_code=1))

  thread = threading.Thread(target=try_it, daemon=True)
  thread.start()
  thread.join(seconds)
  if thread.is_alive():
    hangs = LostPeerError(f'Does not answer within {seconds:g} s.')
    return [failed(check, hangs)]
  return found


def rows(
  by_process: Sequence[Sequence[Finding]], names: Sequence[str]
) -> list[Row]:
  """Returns the findings of all processes, equal ones as one row.

  What is well is one row for all, in the words of the first.

  Args:
    by_process: the findings of each.
    names: of the processes.
  """
  groups: dict[tuple, list[tuple[Finding, str]]] = {}
  order: dict[str, int] = {}
  for findings, name in zip(by_process, names, strict=True):
    for finding in findings:
      order.setdefault(finding.check, len(order))
      same = '' if finding.verdict == OK else finding.found
      key = finding.check, finding.verdict, same
      groups.setdefault(key, []).append((finding, name))
  made = [
    Row(
      **dataclasses.asdict(group[0][0]),
      processes=_named([name for _, name in group], len(names)),
    )
    for group in groups.values()
  ]
  return sorted(made, key=lambda row: order[row.check])


def exit_code(rows: Sequence[Finding]) -> int:
  """Returns what the run would end with: at the first thing that is wrong."""
  return next((row.exit_code for row in rows if row.verdict == FAILED), 0)


def verdict(rows: Sequence[Finding]) -> str:
  """Returns the worst verdict."""
  found = {row.verdict for row in rows}
  return next(v for v in (FAILED, WARNING, OK) if v in found or v == OK)


def _named(names: Sequence[str], count: int) -> str:
  if count == 1:
    return ''
  if len(names) == count:
    return f'all {count}'
  more = len(names) - _SHOWN
  shown = ', '.join(names[:_SHOWN])
  return f'{shown} and {more} more' if more > 0 else shown
