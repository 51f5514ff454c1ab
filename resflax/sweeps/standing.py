"""How the runs of a sweep stand: what their folders say, and no more."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from resflax.errors import PreemptedError, ResflaxError
from resflax.report.read import Run, read_run
from resflax.sweeps.attempt import LEASE, RECORD, read
from resflax.sweeps.folder import kept_rows
from resflax.sweeps.grid import Planned
from resflax.sweeps.lease import is_held

# Of a finished run, what a table of the sweep is made of.
_KEPT = ('test/top1', 'test/loss', 'eval/top1', 'eval/loss', 'train/loss')
# It was asked to stop: and saved, or had nothing to save yet.
STOPPED = (PreemptedError.exit_code, -signal.SIGTERM)
_LATELY = 20  # rows, from which the speed is taken


def collect(runs: Sequence[Planned], workdir: str) -> list[dict]:
  """Returns a row a run; keeps those of finished ones in `runs.jsonl`."""
  folder = Path(workdir)
  rows = [summary(run, folder / run.name) for run in runs]
  keep(rows, folder)
  return rows


def keep(rows: Sequence[Mapping], folder: Path) -> None:
  """Writes the rows of finished runs to `runs.jsonl`.

  Runs that another sweep file has put into the folder keep their rows.
  """
  kept = {row['name']: row for row in rows if row['state'] == 'done'}
  listed = {row['name'] for row in rows}
  for name, row in kept_rows(folder).items():
    if name not in listed and (folder / name).is_dir():
      kept[name] = row
  if kept:
    lines = [json.dumps(row) + '\n' for row in kept.values()]
    # Named by the process, for --status in another shell writes as well.
    unfinished = folder / f'.runs.{os.getpid()}.jsonl'
    unfinished.write_text(''.join(lines))
    unfinished.replace(folder / 'runs.jsonl')


def summary(run: Planned, folder: Path) -> dict:
  """Returns what is known of a run: its fields, state and newest metrics.

  States: waiting, running, done, failed (by its exit code), stopped (it was
  asked to), and cut off (it was killed).
  """
  row = {'label': run.label, 'against': run.against, 'name': run.name}
  if run.published is not None:
    row['published'] = run.published
  row['fields'] = dict(run.fields)
  status = read(folder / 'status.json')
  row['state'] = state_of(folder, status)
  if not (folder / 'config.json').exists():
    return row
  try:
    found = read_run(folder)
  except ResflaxError as error:  # which must not end the others
    return {**row, 'reason': str(error)}
  newest = {k: found.last(k)[k] for k in _KEPT if k in found.last(k)}
  row |= {**newest, 'seconds': found.last('time').get('time')}
  return row if row['state'] == 'done' else row | _progress(found, status)


def exit_code(folder: Path) -> int | None:
  """Returns that of the newest attempt, None where it was cut off."""
  return read(folder / RECORD).get('exit_code')


def saved_step(folder: Path) -> int:
  """Returns the step that a run goes on from."""
  return read(folder / 'status.json').get('step', 0)


def state_of(folder: Path, status: Mapping) -> str:
  """Returns how a run stands, see `summary`.

  Args:
    folder: of the run.
    status: what it says of itself, empty before it does.
  """
  if status.get('state') == 'done':
    return 'done'
  if is_held(folder / LEASE):
    return 'running'
  if not (folder / RECORD).exists() and not status:
    return 'waiting'
  code = exit_code(folder)
  if code in STOPPED:
    return 'stopped'
  return 'cut off' if code is None or code < 0 else 'failed'


def _progress(run: Run, status: Mapping) -> dict:
  """Returns the step, the total, and the seconds left at its newest speed."""
  rows = [row for row in run.rows if 'train/loss' in row][-_LATELY:]
  step = max([status.get('step', 0), *(row['step'] for row in rows)])
  found = {'step': step, 'total_steps': status.get('total_steps')}
  if len(rows) > 1 and found['total_steps']:
    steps = rows[-1]['step'] - rows[0]['step']
    seconds = rows[-1]['time'] - rows[0]['time']
    found['seconds_left'] = seconds / steps * (found['total_steps'] - step)
  return found
