r"""Compiles a run's programs for a TPU pod that is not here; estimates them.

  python -m scripts.aot --config=configs/imagenet/resnet.py --topology=v5e:16x16

Needs libtpu (`pip install -e '.[tpu]'`), and no TPU. All times are estimates.
"""

import dataclasses
import io
import json
import pathlib
import sys

from absl import flags
from ml_collections import config_flags
from rich import box
from rich.console import Console
from rich.table import Table

from resflax.errors import UsageError
from scripts.command import run

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
TOPOLOGY = flags.DEFINE_string(
  'topology', None, 'The pod, such as v5e:16x16 or v3:4x4.'
)
JSON = flags.DEFINE_bool('json', False, 'Print JSON lines instead of a table.')
SAVE = flags.DEFINE_string('save', None, 'Keep the table as this HTML page.')

COLUMNS = (
  *('program', 'px', 'images', 'peak GiB', 'GFLOP', 'GB', 'collectives'),
  *('Mcycles', 'ms', 'roofline ms', 'images/s', 'compile s'),
)


def main(argv) -> int:
  """Estimates; returns 1 if a program does not fit."""
  del argv
  if CONFIG.value is None or not TOPOLOGY.value:
    raise UsageError(
      '--config or --topology is missing: give '
      '--config=configs/imagenet/resnet.py --topology=v5e:4x4.'
    )
  page = pathlib.Path(SAVE.value).expanduser() if SAVE.value else None
  if page and not page.parent.is_dir():
    raise UsageError(f'--save={page}: the folder {page.parent} is missing.')
  # JAX takes seconds to import: a typo is answered before.
  from resflax.aot.chips import chip_of
  from resflax.aot.estimate import estimates, setup_for
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  chip = chip_of(TOPOLOGY.value)
  setup = setup_for(CONFIG.value.to_dict(), TOPOLOGY.value)
  console = Console(
    record=bool(page),
    file=io.StringIO() if JSON.value else None,
    width=None if sys.stdout.isatty() else 160,
  )
  done = []
  for estimate in estimates(setup, chip):
    done.append(estimate)
    if JSON.value:
      row = {'estimate': True, **dataclasses.asdict(estimate)}
      print(json.dumps(row), flush=True)
  _show(console, done, setup, setup.mesh.size // chip.cores)
  if page:
    console.save_html(str(page))
  return int(not all(estimate.fits for estimate in done))


def _show(console: Console, done: list, setup, chips: int) -> None:
  from resflax.aot.estimate import Estimate, advice, run_hours

  device = 'chip' if chips == setup.mesh.size else 'core (a chip has two)'
  console.print(
    f'{TOPOLOGY.value}, for each {device}: estimates all, none was timed',
    highlight=False,
  )
  known = [e for e in done if isinstance(e, Estimate)]
  table = Table(box=box.SIMPLE)
  for column in COLUMNS:
    table.add_column(column, justify='right')
  for estimate in known:
    table.add_row(*_cells(estimate))
  console.print(table)
  for e in done:
    console.print(f'{e.program} {e.resolution} px: {_held(e)}', highlight=False)
    console.print(f'  {advice(e, setup.resolved)}', highlight=False)
  if len(known) == len(done):
    console.print(
      f'The whole run on {chips} chips: {run_hours(done):.2f} hours, as '
      'estimated.'
    )


def _cells(e) -> tuple[str, ...]:
  collectives = ', '.join(f'{n} {kind}' for kind, n in e.collectives.items())
  return (
    *(e.program, str(e.resolution), str(e.images)),
    f'{e.peak_bytes / 2**30:.2f}',
    *(f'{e.flops / 1e9:,.0f}', f'{e.bytes / 1e9:.2f}'),
    f'{collectives or 0} ({e.collective_bytes / 1e6:.1f} MB)',
    *(f'{e.cycles / 1e6:.1f}', f'{e.estimated_ms:.1f}'),
    *(f'{e.roofline_ms:.1f}', f'{e.images_per_second:,.0f}'),
    f'{e.compile_s:.0f}',
  )


def _held(e) -> str:
  """What the memory holds."""
  if not hasattr(e, 'held'):
    return 'memory runs out'
  parts = [f'{size / 2**20:,.0f} MiB {what}' for what, size in e.held.items()]
  largest = [f'{size / 2**20:,.0f} MiB {what}' for size, what in e.largest]
  return ', '.join(parts) + '; largest within: ' + ', '.join(largest)


if __name__ == '__main__':
  run(main)
