r"""Looks at every host before a run: would it start, and would it be saved?

  python -m scripts.doctor --config=configs/digits.py --workdir=/tmp/digits
  python -m scripts.doctor
  python -m scripts.doctor --print_launch=slurm --config=configs/digits.py

Started as the run will be, with the same flags on every host. Ends with 0, or
with the exit code that the run itself would end with.
"""

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator

from absl import flags
from ml_collections import config_flags
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from resflax.doctor import findings, launch
from resflax.errors import UsageError
from scripts import hosts
from scripts.command import run

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument; none = the machine alone.'
)
WORKDIR = flags.DEFINE_string(
  'workdir', None, 'Folder of the run, local or gs://.'
)
JSON = flags.DEFINE_bool('json', False, 'Print JSON instead of a table.')
WAIT = flags.DEFINE_float(
  'wait_seconds', 60, 'For the other processes to come.', 1
)
PRINT_LAUNCH = flags.DEFINE_enum(
  'print_launch',
  None,
  sorted(launch.SYSTEMS),
  'Print what starts the run there, and look at nothing.',
)

_COLOURS = {'ok': 'green', 'warning': 'yellow', 'failed': 'red'}

# Before `run` sets some for libtpu.
_ENVIRON = dict(os.environ)


def main(argv: list[str]) -> int:
  """Prints what was found, or a launch script; returns the exit code."""
  del argv
  if PRINT_LAUNCH.value:
    return _print_launch(PRINT_LAUNCH.value)
  # JAX takes seconds to import: a typo is answered before.
  from resflax.doctor.examine import examine

  with _stdout_kept():
    examination = examine(
      CONFIG.value and CONFIG.value.to_dict(),
      WORKDIR.value,
      cluster=hosts.found(),
      join=hosts.join,
      environ=_ENVIRON,
      wait_seconds=WAIT.value,
    )
  if examination.tells:
    _print(examination.rows, examination.hosts)
  return findings.exit_code(examination.rows)


@contextlib.contextmanager
def _stdout_kept() -> Iterator[None]:
  """Sends what is printed to stderr: Gloo greets on stdout, in C++."""
  kept = os.dup(1)
  os.dup2(2, 1)
  try:
    yield
  finally:
    os.dup2(kept, 1)
    os.close(kept)


def _print_launch(system: str) -> int:
  if CONFIG.value is None:
    raise UsageError('--config is missing: give that of the run to launch.')
  config = config_flags.get_config_filename(flags.FLAGS['config'])
  print(launch.script(system, config, sys.orig_argv), end='')
  if note := launch.note(system, sys.orig_argv):
    print(note, file=sys.stderr)
  return 0


def _print(rows: list[findings.Row], hosts: list[str]) -> None:
  code, verdict = findings.exit_code(rows), findings.verdict(rows)
  if JSON.value:
    said = {'verdict': verdict, 'exit_code': code, 'hosts': hosts}
    checks = [dataclasses.asdict(row) for row in rows]
    print(json.dumps({**said, 'checks': checks}, indent=2))
    return
  columns = ['check', 'verdict', 'found', 'what to do']
  if len(hosts) > 1:
    columns.insert(2, 'process')
  table = Table(*columns, box=box.SIMPLE)
  for row in rows:
    cells = [
      row.check,
      Text(row.verdict, style=_COLOURS[row.verdict]),
      *([row.processes] if len(hosts) > 1 else []),
      Text(row.found),
      Text(row.to_do),
    ]
    table.add_row(*cells)
  # A pipe has no width of its own: rich would cut the columns at 80.
  console = Console(width=None if sys.stdout.isatty() else 140)
  console.print(table)
  said = {
    findings.OK: 'The run can start.',
    findings.WARNING: 'The run can start; look at the warnings.',
    findings.FAILED: f'The run would end with exit code {code}.',
  }
  console.print(said[verdict], highlight=False)


if __name__ == '__main__':
  run(main)
