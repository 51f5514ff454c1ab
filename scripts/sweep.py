r"""Trains every run that a sweep file lists; goes on where it stopped.

  python -m scripts.sweep --config=configs/digits.py --jobs=2 \
    --sweep=configs/sweeps/learning_rate.py --workdir=/tmp/learning_rate

What is set on the command line (`--config.FIELD=VALUE`) holds for every run
that does not set it itself.
"""

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
DRY_RUN = flags.DEFINE_bool('dry_run', False, 'List the runs, and stop.')


def main(argv: list[str]) -> None:
  """Lists the runs, or trains them and prints a table."""
  del argv
  for flag in (CONFIG, SWEEP, WORKDIR):
    if flag.value is None:
      raise UsageError(f'--{flag.name} is missing.')
  from resflax.sweeps.grid import load_sweep
  from resflax.sweeps.local import run_sweep

  file, _, argument = config_flags.get_config_filename(
    flags.FLAGS['config']
  ).partition(':')
  runs = load_sweep(SWEEP.value, argument, _common())
  if DRY_RUN.value:
    for planned in runs:
      print(planned.name, *planned.flags)
    return
  _print(run_sweep(runs, file, absolute(WORKDIR.value), JOBS.value))


def _common() -> dict[str, object]:
  """Returns the fields set on the command line, by path."""
  values = dict(flat(CONFIG.value.to_dict()))
  paths = [given.partition('=')[0].split('.', 1)[1] for given in _GIVEN]
  return {path: values[path] for path in paths}


def _print(rows: list[dict]) -> None:
  table = Table(box=box.SIMPLE)
  for column in ('run', 'state', 'validation', 'test', 'seconds'):
    table.add_column(column, justify='left' if column == 'run' else 'right')
  for row in rows:
    scores = [
      f'{row[key]:.2%}' if key in row else ''
      for key in ('eval/top1', 'test/top1')
    ]
    seconds = f'{row["seconds"]:.0f}' if row.get('seconds') else ''
    table.add_row(row['name'], row['state'], *scores, seconds)
  Console().print(table)


if __name__ == '__main__':
  run(main)
