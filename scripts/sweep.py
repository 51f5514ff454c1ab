r"""Trains every run that a sweep file lists; goes on where it stopped.

  python -m scripts.sweep --config=configs/digits.py --jobs=2 \
    --sweep=configs/sweeps/learning_rate.py --workdir=/tmp/learning_rate

What is set on the command line (`--config.FIELD=VALUE`) holds for every run
that does not set it itself. `--launcher` says where runs are started: on this
machine, on a Ray cluster or by Slurm. `--kept=runs.jsonl` prints and plots what
earlier sweeps left, without their folders.
"""

import functools
import json
import sys
from pathlib import Path

from absl import flags
from ml_collections import config_flags
from rich import box
from rich.table import Table

from resflax.errors import UsageError
from resflax.fields import differing, flat
from resflax.paths import absolute
from scripts.command import run

# As given: parsing takes out what is set to None.
_GIVEN = [a for a in sys.argv[1:] if a.startswith(('--config.', '-config.'))]

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
SWEEP = flags.DEFINE_string(
  'sweep', None, 'A file with sweep(add), or get_hyper(hyper).'
)
WORKDIR = flags.DEFINE_string('workdir', None, 'Gets a folder a run.')
LAUNCHER = flags.DEFINE_enum(
  'launcher', 'local', ['local', 'ray', 'slurm'], 'What starts the runs.'
)
JOBS = flags.DEFINE_integer(
  'jobs',
  None,
  'Runs at once. local: 1 by default, each on its share of cores and GPUs; '
  'ray, slurm: as many as fit.',
  lower_bound=1,
)
CPUS = flags.DEFINE_integer(
  'cpus', None, 'Cores of a run, on ray and slurm; 1 by default.', lower_bound=1
)
GPUS = flags.DEFINE_integer(
  'gpus', None, 'GPUs of a run, on ray and slurm; 0 by default.', lower_bound=0
)
RAY_ADDRESS = flags.DEFINE_string(
  'ray_address',
  None,
  'HOST:PORT of a Ray cluster; unset = what Ray finds, or a local one.',
)
SBATCH = flags.DEFINE_multi_string(
  'sbatch', [], 'An option for sbatch, such as --sbatch=--time=4:00:00.'
)
ATTEMPTS = flags.DEFINE_integer(
  'attempts', 2, 'In a row without a new save, until a run has failed.', 1
)
STATUS = flags.DEFINE_bool('status', False, 'Say how it stands, and stop.')
PLOT = flags.DEFINE_string(
  'plot', None, 'An .svg or .png file of the differences between labels.'
)
KEPT = flags.DEFINE_list(
  'kept', [], 'Files such as runs.jsonl to sum up, in place of a sweep.'
)
DRY_RUN = flags.DEFINE_bool(
  'dry_run', False, 'List the runs and what they cost, and stop.'
)


def main(argv: list[str]) -> None:
  """Lists the runs, or trains them and prints a table."""
  del argv
  if PLOT.value:
    from resflax.report.theme import check_figure

    check_figure(PLOT.value, '--plot')
  _refuse_both((KEPT,), (CONFIG, SWEEP, WORKDIR, STATUS, DRY_RUN))
  _refuse_both((DRY_RUN,), (STATUS, PLOT))
  if KEPT.value:
    rows = [row for path in KEPT.value for row in read_kept(path)]
    _refuse_shared(rows)
    _print(rows)
    return
  for flag in (CONFIG, SWEEP, WORKDIR):
    if flag.value is None:
      raise UsageError(f'--{flag.name} is missing.')
  if '://' in WORKDIR.value:
    raise UsageError(
      f'--workdir={WORKDIR.value} has no locks, by which no run is trained '
      'twice: give a folder that all machines share.'
    )
  from resflax.sweeps.folder import refuse_run
  from resflax.sweeps.grid import load_sweep

  refuse_run(absolute(WORKDIR.value))
  file, _, argument = config_flags.get_config_filename(
    flags.FLAGS['config']
  ).partition(':')
  runs = load_sweep(SWEEP.value, argument, _common())
  if STATUS.value:
    _status(runs)
    return
  if DRY_RUN.value:
    _list(runs, file)
  else:
    _print(_train(runs, file))


def _refuse_both(some: tuple, others: tuple) -> None:
  """Refuses flags of which one would go unheeded."""
  both = [[f.name for f in flags if f.value] for flags in (some, others)]
  if all(both):
    (one, *_), (other, *_) = both
    raise UsageError(f'--{one} does without --{other}: leave one of them out.')


def _train(runs, file: str) -> list[dict]:
  from resflax.sweeps.beforehand import estimates
  from resflax.sweeps.driver import run_sweep
  from resflax.sweeps.launchers import LAUNCHERS
  from resflax.sweeps.launchers.job import Settings

  workdir = absolute(WORKDIR.value)
  launcher = LAUNCHERS[LAUNCHER.value]
  settings = Settings(
    Path(workdir),
    jobs=JOBS.value,
    cpus=CPUS.value,
    gpus=GPUS.value,
    ray_address=RAY_ADDRESS.value,
    sbatch=tuple(SBATCH.value),
  )
  launcher.check(settings)
  estimates(runs, file, workdir)  # refuses what contradicts itself
  launch = functools.partial(launcher, settings)
  return run_sweep(runs, file, workdir, launch, attempts=ATTEMPTS.value)


def _status(runs) -> None:
  from resflax.sweeps.board import console, table
  from resflax.sweeps.folder import run_folders
  from resflax.sweeps.standing import collect

  workdir = absolute(WORKDIR.value)
  rows = collect(runs, workdir)
  if not Path(workdir).is_dir():
    print(f'note: there is no folder {WORKDIR.value} yet (--workdir).')
  _print(rows)
  console().print(table(rows))
  others = {folder.name for folder in run_folders(workdir)}
  if count := len(others - {planned.name for planned in runs}):
    print(
      f'note: {count} more in {WORKDIR.value} are not of this config and sweep '
      'file, such as of other --config arguments or overrides.'
    )


def _list(runs, file: str) -> None:
  """Prints a line a run: its name, costs and fields."""
  from resflax.sweeps.beforehand import estimates

  costs = estimates(runs, file, absolute(WORKDIR.value))
  width = max(len(planned.name) for planned in runs)
  print(f'{"run":{width}}  {"params":>11}  {"MACs":>15}  training FLOPs')
  for planned, cost in zip(runs, costs, strict=True):
    print(
      f'{planned.name:{width}}  {cost.params:11,}  {cost.macs:15,}'
      f'  {cost.compute:14.2e} ',
      *planned.flags,
    )
  total = sum(cost.compute for cost in costs)
  print(f'{len(runs)} runs, {total:.2e} FLOPs')


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


def _refuse_shared(rows: list[dict]) -> None:
  """Refuses rows of one label and seed that differ in anything else."""
  first: dict[tuple, dict] = {}
  for row in rows:
    key = row['label'], row['fields'].get('seed')
    if differ := differing(row['fields'], first.setdefault(key, row)['fields']):
      raise UsageError(
        f'Rows labelled {row["label"]!r} of one seed differ in {differ[0]}, so '
        'they are of several designs: give their files one by one (--kept).'
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
  from resflax.sweeps.board import console, counts

  print(counts(rows))
  table = Table(box=box.SIMPLE)
  found = effects([row for row in rows if row['state'] == 'done'])
  columns = ['label', 'seeds', 'top-1, %', 'against', 'points']
  if any(effect.is_published for effect in found):
    columns.append('published')
  for column in columns:
    left = column in ('label', 'against')
    table.add_column(column, justify='left' if left else 'right')
  for effect in found:
    table.add_row(
      effect.label,
      str(effect.count),
      f'{effect.mean:.2f}',
      effect.against,
      effect.points,
      *([_published(effect)] if 'published' in columns else []),
    )
  console().print(table)
  if PLOT.value and any(effect.is_compared for effect in found):
    print(save(PLOT.value, draw_effects, found))
  elif PLOT.value:
    print('note: nothing is compared yet, so nothing was drawn (--plot).')


def _published(effect) -> str:
  return f'{effect.published:+.1f}' if effect.is_published else ''


if __name__ == '__main__':
  run(main)
