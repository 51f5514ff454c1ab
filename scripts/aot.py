r"""Compiles a run's programs for a TPU pod that is not here; estimates them.

  python -m scripts.aot --config=configs/imagenet/resnet.py --topology=v5e:16x16

Needs libtpu (`pip install -e '.[tpu]'`), and no TPU. All times are estimates.
"""

import dataclasses
import json
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


def main(argv) -> int:
  """Estimates; returns 1 if a program does not fit."""
  del argv
  if CONFIG.value is None or not TOPOLOGY.value:
    raise UsageError(
      '--config or --topology is missing: give '
      '--config=configs/imagenet/resnet.py --topology=v5e:4x4.'
    )
  # JAX takes seconds to import: a typo is answered before.
  from resflax.aot.estimate import estimates
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  done = []
  for estimate in estimates(CONFIG.value.to_dict(), TOPOLOGY.value):
    done.append(estimate)
    if JSON.value:
      row = {'estimate': True, **dataclasses.asdict(estimate)}
      print(json.dumps(row), flush=True)
  if not JSON.value:
    _print(done)
  return int(not all(estimate.fits for estimate in done))


def _print(done: list) -> None:
  from resflax.aot.chips import chip_of
  from resflax.aot.estimate import advice, run_hours

  topology = TOPOLOGY.value
  table = Table(
    title=f'{topology}: estimates for each device, none was timed',
    box=box.SIMPLE,
  )
  columns = (
    *('program', 'px', 'images', 'peak GiB', 'state', 'temp', 'GFLOP', 'GB'),
    *('collectives', 'Mcycles', 'ms', 'roofline ms', 'images/s', 'compile s'),
  )
  for column in columns:
    table.add_column(column, justify='right')
  for e in done:
    table.add_row(
      e.program,
      str(e.resolution),
      str(e.images),
      *(
        f'{size / 2**30:.2f}'
        for size in (e.peak_bytes, e.state_bytes, e.temporary_bytes)
      ),
      f'{e.flops / 1e9:,.0f}',
      f'{e.bytes / 1e9:.2f}',
      f'{sum(e.collectives.values())} ({e.collective_bytes / 1e6:.1f} MB)',
      f'{e.cycles / 1e6:.1f}',
      f'{e.estimated_ms:.1f}',
      f'{e.roofline_ms:.1f}',
      f'{e.images_per_second:,.0f}',
      f'{e.compile_s:.0f}',
    )
  console = Console(width=None if sys.stdout.isatty() else 160)
  console.print(table)
  for e in done:
    console.print(f'{e.program} {e.resolution} px: {advice(e)}')
  chips = done[0].devices // chip_of(topology).cores
  console.print(
    f'The whole run on {chips} chips: '
    f'{run_hours(done):.2f} hours, as estimated.'
  )


if __name__ == '__main__':
  run(main)
