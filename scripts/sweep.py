r"""Trains every run that a sweep file lists; goes on where it stopped.

  python -m scripts.sweep --config=configs/digits.py --jobs=2 \
    --sweep=configs/sweeps/learning_rate.py --workdir=/tmp/learning_rate

What is set on the command line (`--config.FIELD=VALUE`) holds for every run
that does not set it itself. `--kept=runs.jsonl` prints and plots what earlier
sweeps left, without their folders.
"""

import collections
import json
import sys

from absl import flags
from ml_collections import config_flags
from rich import box
from rich.console import Console
from rich.table import Table

from resflax.errors import UsageError
from resflax.fields import flat
from resflax.paths import absolute
from scripts.command import run

# As given: parsing takes out what is set to None.
_GIVEN = [a for a in sys.argv[1:] if a.startswith(('--config.', '-config.'))]

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
SWEEP = flags.DEFINE_string('sweep', None, 'A file with sweep(add).')
WORKDIR = flags.DEFINE_string('workdir', None, 'Gets a folder a run.')
JOBS = flags.DEFINE_integer(
  'jobs', 1, 'Runs at once, each on its share of the cores.', lower_bound=1
)
STATUS = flags.DEFINE_bool('status', False, 'Say how it stands, and stop.')
PLOT = flags.DEFINE_string(
  'plot', None, 'An .svg or .png file of the differences between labels.'
)
KEPT = flags.DEFINE_list(
  'kept', [], 'Files such as runs.jsonl to sum up, in place of a sweep.'
)
DRY_RUN = flags.DEFINE_bool('dry_run', False, 'List the runs, and stop.')


def main(argv: list[str]) -> None:
  """Lists the runs, or trains them and prints a table."""
  del argv
  if KEPT.value:
    _print([row for path in KEPT.value for row in read_kept(path)])
    return
  for flag in (CONFIG, SWEEP, WORKDIR):
    if flag.value is None:
      raise UsageError(f'--{flag.name} is missing.')
  from resflax.sweeps.grid import load_sweep
  from resflax.sweeps.local import collect, run_sweep

  file, _, argument = config_flags.get_config_filename(
    flags.FLAGS['config']
  ).partition(':')
  runs = load_sweep(SWEEP.value, argument, _common())
  if DRY_RUN.value:
    for planned in runs:
      print(planned.name, *planned.flags)
    return
  workdir = absolute(WORKDIR.value)
  if STATUS.value:
    rows = collect(runs, workdir)
  else:
    rows = run_sweep(runs, file, workdir, JOBS.value)
  _print(rows)


def read_kept(path: str) -> list[dict]:
  """Returns the rows of finished runs in a file.

  Raises:
    UsageError: there is no such file, or it is of another kind.
  """
  try:
    with open(absolute(path), encoding='utf-8') as file:
      rows = [json.loads(line) for line in file]
    if all({'label', 'fields', 'state'} <= row.keys() for row in rows):
      return rows
    reason = 'a line is not a run'
  except (OSError, ValueError, AttributeError) as error:
    reason = getattr(error, 'strerror', None) or str(error)
  raise UsageError(
    f'{path} holds no runs ({reason}): give the runs.jsonl of a sweep (--kept).'
  )


def _common() -> dict[str, object]:
  """Returns the fields set on the command line, by path."""
  values = dict(flat(CONFIG.value.to_dict()))
  paths = [given.partition('=')[0].split('.', 1)[1] for given in _GIVEN]
  return {path: values[path] for path in paths}


def _print(rows: list[dict]) -> None:
  """Prints how many runs are where, and what the labels reached so far."""
  from resflax.report.effects import draw_effects, effects
  from resflax.report.theme import save

  states = collections.Counter(row['state'] for row in rows)
  print(', '.join(f'{count} {state}' for state, count in states.items()))
  table = Table(box=box.SIMPLE)
  for column in ('label', 'seeds', 'top-1, %', 'against', 'points'):
    right = column in ('seeds', 'top-1, %', 'points')
    table.add_column(column, justify='right' if right else 'left')
  found = effects([row for row in rows if row['state'] == 'done'])
  for effect in found:
    points = f'{effect.difference:+.2f} ± {effect.half_width:.2f}'
    table.add_row(
      effect.label,
      str(effect.count),
      f'{effect.mean:.2f}',
      effect.against,
      points if effect.against else '',
    )
  Console().print(table)
  if PLOT.value:
    print(save(PLOT.value, draw_effects, found))


if __name__ == '__main__':
  run(main)
