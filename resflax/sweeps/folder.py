"""The folder of a sweep, finished or not: its runs, as their folders tell."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from resflax.errors import StorageError, UsageError
from resflax.report.read import Run, read_run

_HASH = re.compile(r'-?[0-9a-f]{8}$')  # behind the label in a folder's name


class Member(NamedTuple):
  """A run of a sweep.

  Attributes:
    label: runs that differ in the seed alone share one.
    against: the label that it is compared with, or empty.
    folder: of the run.
    run: what is in it.
    published: the difference between the two that a paper has, in points.
  """

  label: str
  against: str
  folder: Path
  run: Run
  published: float | None = None

  @property
  def is_done(self) -> bool:
    return self.run.evaluation is not None and bool(self.run.last('test/top1'))


def is_sweep(folder: str) -> bool:
  """Returns whether a folder is that of a sweep, with a run at least."""
  path = Path(folder)
  if _is_run(path):
    return False
  return (path / 'runs.jsonl').exists() or bool(run_folders(path))


def refuse_run(folder: str) -> None:
  """Refuses a folder in which a run lies, and no runs.

  Raises:
    UsageError: it is the folder of a run.
  """
  if _is_run(Path(folder)):
    raise UsageError(
      f'{folder} is the folder of a run: give that of a sweep (--workdir of '
      'scripts.sweep).'
    )


def run_folders(folder: str | Path) -> list[Path]:
  """Returns the folders of the runs that have begun, in alphabetic order."""
  return sorted(file.parent for file in Path(folder).glob('*/config.json'))


def members(folder: str) -> list[Member]:
  """Returns the runs that have begun, in the order of `runs.jsonl`.

  It knows the labels of finished runs; the others follow, named by their
  folders.

  Raises:
    UsageError: not a sweep's folder.
    StorageError: a file in it cannot be read.
  """
  refuse_run(folder)
  path = Path(folder)
  folders = run_folders(path)
  if not folders:
    raise UsageError(
      f'{folder} is not the folder of a sweep with finished runs: it has no '
      'runs. Give the --workdir of scripts.sweep.'
    )
  kept = kept_rows(path)
  place = {name: number for number, name in enumerate(kept)}
  found = []
  for run in sorted(folders, key=lambda f: place.get(f.name, len(place))):
    row = kept.get(run.name, {})
    label = row.get('label', _HASH.sub('', run.name)) or run.name
    beside = row.get('published')
    against = row.get('against', '')
    found.append(Member(label, against, run, read_run(run), beside))
  return found


def _is_run(path: Path) -> bool:
  return (path / 'config.json').exists()


def kept_rows(folder: Path) -> dict[str, dict]:
  """Returns the lines of `runs.jsonl` by the name of their run.

  Raises:
    StorageError: it cannot be read.
  """
  file = folder / 'runs.jsonl'
  if not file.exists():
    return {}
  try:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return {row['name']: row for row in rows}
  except (ValueError, KeyError, TypeError) as error:
    raise StorageError(f"Cannot read '{file}': {error!r}.") from error
