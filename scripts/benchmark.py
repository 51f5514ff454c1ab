"""Measures what this project claims, as ratios within one run.

python -m scripts.benchmark conv
python -m scripts.benchmark step --quick --cores=1
python -m scripts.benchmark step --device=gpu
python -m scripts.benchmark input --folder=DIR
"""

import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

from absl import flags
from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from resflax.errors import UsageError, unknown
from scripts.command import run

QUICK = flags.DEFINE_bool('quick', False, 'Fewer cases, less repetition.')
CORES = flags.DEFINE_integer(
  'cores', None, 'CPU cores to use; unset = all there are.', lower_bound=1
)
JSON = flags.DEFINE_bool('json', False, 'Print JSON lines instead of a table.')

FOLDER = flags.DEFINE_string(
  'folder', None, 'JPEG photos for `input`; unset = made ones.'
)
DEVICE = flags.DEFINE_enum(
  'device', 'cpu', ['cpu', 'gpu', 'tpu'], 'Of `step`; a TPU is compiled for.'
)

BENCHMARKS = {
  'conv': 'resflax.benchmarks.convolutions',
  'step': 'resflax.benchmarks.steps',
  'tpu': 'resflax.benchmarks.tpu_steps',
  'scan': 'resflax.benchmarks.scans',
  'loop': 'resflax.benchmarks.loops',
  'start': 'resflax.benchmarks.starts',
  'input': 'resflax.benchmarks.inputs',
  'memory': 'resflax.benchmarks.memory',
  'tpu_published': 'resflax.benchmarks.tpu_published',
}
# `all` leaves out what takes long, and without libtpu what needs it.
APART = ('memory', 'tpu_published', *(() if find_spec('libtpu') else ('tpu',)))
STEPS = {
  'gpu': 'resflax.benchmarks.gpu_steps',
  'tpu': BENCHMARKS['tpu'],
}


def main(argv: list[str]) -> None:
  """Runs the benchmarks that are named, or all that need nothing more."""
  if not argv:
    raise UsageError(f'Name what to measure: {", ".join(BENCHMARKS)} or all.')
  everywhere = [name for name in BENCHMARKS if name not in APART]
  names = everywhere if argv == ['all'] else argv
  for name in names:
    if name not in BENCHMARKS:
      raise unknown('benchmark', name, [*BENCHMARKS, 'all'], 'what to measure')
  if CORES.value:
    cores = sorted(os.sched_getaffinity(0))[: CORES.value]
    os.sched_setaffinity(0, cores)  # before JAX starts its threads
  if DEVICE.value != 'cpu' and names != ['step']:
    raise UsageError(f'--device={DEVICE.value} is for `step` alone.')
  if FOLDER.value and names != ['input']:
    raise UsageError('--folder is for `input` alone.')
  rows = _rows(names)
  if JSON.value:
    for name, row in rows:
      print(json.dumps({'benchmark': name, **row._asdict()}), flush=True)
  else:
    _show(rows)


def _rows(names: Iterable[str]) -> Iterator[tuple[str, NamedTuple]]:
  for name in names:
    module = importlib.import_module(STEPS.get(DEVICE.value, BENCHMARKS[name]))
    options = {'folder': FOLDER.value} if FOLDER.value else {}
    for row in module.run(quick=QUICK.value, **options):
      yield name, row


def _show(rows: Iterable[tuple[str, NamedTuple]]) -> None:
  """Prints one table, each row as soon as it is there on a terminal."""
  table = Table(box=box.SIMPLE)
  for column in ('benchmark', 'what', 'median', 'ratio', 'to', 'aim'):
    right = column in ('median', 'ratio', 'aim')
    table.add_column(column, justify='right' if right else 'left')
  console = Console(width=None if sys.stdout.isatty() else 140)
  with Live(table, console=console, auto_refresh=False) as live:
    for name, row in rows:
      ratio = '' if row.ratio is None else f'{row.ratio:.2f}'
      value = f'{row.value:.4g} {row.unit}'
      table.add_row(name, row.what, value, ratio, row.against, row.bar)
      live.refresh()
  console.print(_machine())


def _machine() -> str:
  from resflax.training import environment

  facts = environment.describe()
  return (
    f'{facts["devices"]} x {facts["device_kind"]}, '
    f'{len(os.sched_getaffinity(0))} cores, jax {facts["jax"]}'
  )


if __name__ == '__main__':
  run(main, positional=True)
