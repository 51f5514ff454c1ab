"""What the tests of drivers watch and assert of the runs' folders."""

import json
import pathlib
import time

from resflax.sweeps.lease import is_held

TIMEOUT = 120  # seconds for anything that is waited for


def until(what, timeout=TIMEOUT):
  """Waits until something is so, and returns it."""
  end = time.monotonic() + timeout
  while not (found := what()):
    assert time.monotonic() < end, 'timed out'
    time.sleep(0.02)
  return found


def read(file):
  """The JSON object in a file, or an empty one."""
  try:
    return json.loads(pathlib.Path(file).read_text())
  except (FileNotFoundError, ValueError):
    return {}


def attempt_of(folder):
  """The process of an attempt that is at work, None where there is none."""
  found = read(folder / 'attempt.json')
  begun = found and found['exit_code'] is None
  return found['pid'] if begun and is_held(folder / '.lease') else None


def lives(folder):
  """The starts and ends of a run."""
  file = folder / 'lives.jsonl'
  lines = file.read_text().splitlines() if file.exists() else []
  return [json.loads(line) for line in lines]


def children(pid):
  """The processes that a process has started."""
  tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/children')
  return [int(child) for file in tasks for child in file.read_text().split()]


def parent(pid):
  """The process that has started a process."""
  stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
  return int(stat.rpartition(')')[2].split()[1])


def check_each_ended_once(folder, count):
  """Asserts that all runs came to their end, once, and never two at a time.

  Args:
    folder: of the sweep.
    count: of its runs.
  """
  runs = sorted(path.parent for path in folder.glob('*/lives.jsonl'))
  assert len(runs) == count
  for run in runs:
    assert read(run / 'status.json')['state'] == 'done'
    events = [row['event'] for row in lives(run)]
    assert events.count('end') == 1 and events[-1] == 'end', (run, events)
    assert 'beside' not in events


def at_work(folder, count):
  """The runs at work with their attempts, None where there are fewer."""
  folders = (path.parent for path in folder.glob('*/attempt.json'))
  found = {run: attempt_of(run) for run in folders}
  found = {run: pid for run, pid in found.items() if pid}
  return found if len(found) >= count else None
