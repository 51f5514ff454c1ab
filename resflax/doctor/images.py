"""Whether a run can use its examples, as far as a short look can tell."""

import time
from collections.abc import Iterator

from resflax.data.ahead import ahead
from resflax.data.bad import VERIFY, Bad, BadExamples
from resflax.data.fill import bad_among
from resflax.data.folders import FileRecords
from resflax.data.headers import LONGEST_END, ends_well, read_header
from resflax.data.mixture import MixedRecords
from resflax.data.records import Records
from resflax.data.splits import Picked
from resflax.doctor.findings import Finding, ok, warning
from resflax.errors import DataError
from resflax.training.setup import Setup

SECONDS = 60  # for the files of a folder, of which there may be millions

_CHUNK = 64  # files that a thread takes at once
_BEGINNING = 1 << 16  # bytes, in which most headers lie


def examine(check: str, setup: Setup) -> Finding:
  """Opens all splits; looks at their first and last examples, and at files.

  Args:
    check: what the finding is called.
    setup: of the run.

  Raises:
    DataError: files that are missing, damaged or too short; an image that
      evaluation cannot use, or more than training may leave out.
  """
  info, deadline = setup.dataset.info, time.monotonic() + SECONDS
  replaced = BadExamples(setup.num_examples, setup.resolved['data.bad_budget'])
  counts, seen = {}, 0
  for name in ('val', 'test', 'train'):  # a single one ends evaluation
    parts = _parts(setup, name)
    counts[name] = sum(map(len, parts))
    for looked_at, bad in _looks_at_all(parts, info.channels, deadline):
      seen += looked_at
      if name == 'train':
        replaced.add(bad)
      elif bad:
        raise DataError(
          f'Cannot use {bad[0].place}: {bad[0].reason}. Evaluation leaves '
          f'nothing out: remove or replace the file, {VERIFY}'
        )
  where = getattr(setup.dataset, 'folder', None)
  place = f' in {where}' if where else ''
  told = ', '.join(f'{counts[n]:,} to {n}' for n in ('train', 'val', 'test'))
  said = f'{info.name} {info.version}{place}: {told}'
  if seen:
    said += _told(seen, sum(counts.values()))
  return _weighed(check, said, replaced)


def _parts(setup: Setup, name: str) -> list[Records]:
  """Returns the examples of a split, of a mixture each source's."""
  if name != 'train':
    return [setup.dataset.split(setup.resolved[f'data.{name}_split'])]
  records = setup.inputs.train_records
  return records.parts if isinstance(records, MixedRecords) else [records]


def _told(seen: int, count: int) -> str:
  files = f'all {seen:,}' if seen == count else f'{seen:,} of {count:,}'
  return (
    f'; {files} files begin and end as images do (scripts.prepare_data '
    '--verify decodes them)'
  )


def _weighed(check: str, said: str, replaced: BadExamples) -> Finding:
  """Returns what was found, with the images that training will replace."""
  if not replaced.found:
    return ok(check, said)
  first = replaced.found[0]
  return warning(
    check,
    f'Cannot use {first.place}: {first.reason}. Of {said}',
    f'training replaces {len(replaced)}: remove or replace the files, {VERIFY}',
  )


def _looks_at_all(
  parts: list[Records], channels: int, deadline: float
) -> Iterator[tuple[int, list[Bad]]]:
  """Yields what `_looks` does, each part's numbers after those before."""
  start = 0
  for records in parts:
    for looked_at, bad in _looks(records, channels, deadline):
      yield looked_at, [b._replace(index=start + b.index) for b in bad]
    start += len(records)


def _looks(
  records: Records, channels: int, deadline: float
) -> Iterator[tuple[int, list[Bad]]]:
  """Yields how many files were looked at, and the bad examples among them."""
  ends = sorted({0, len(records) - 1})
  yield 0, bad_among(records, ends, channels)
  whole, indices = records, range(len(records))
  if isinstance(records, Picked):
    whole, indices = records.records, records.indices
  if not isinstance(whole, FileRecords):
    return

  def look(chunk: int) -> tuple[int, list[Bad]]:
    start = chunk * _CHUNK
    here = range(start, min(start + _CHUNK, len(indices)))
    doubtful = [i for i in here if not _looks_well(whole, int(indices[i]))]
    return len(here), bad_among(records, doubtful, channels)

  for found in ahead(look, 0, -(-len(indices) // _CHUNK)):
    yield found
    if time.monotonic() > deadline:
      return


def _looks_well(files: FileRecords, index: int) -> bool:
  """Whether a file begins and ends as an image; where not, it may be one."""
  try:
    beginning, end = files.edges(index, _BEGINNING, LONGEST_END)
    return ends_well(read_header(beginning), end)
  except (OSError, DataError):
    return False
