"""Measures what this project claims, as ratios within one run.

python -m scripts.benchmark conv
python -m scripts.benchmark step --quick --cores=1
python -m scripts.benchmark step --device=gpu
python -m scripts.benchmark input --folder=DIR
python -m scripts.benchmark frontier --device=tpu --kept=FILE.jsonl
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
  'device',
  'cpu',
  ['cpu', 'gpu', 'tpu'],
  'Of `step` and `frontier`; a TPU is compiled for.',
)
KEPT = flags.DEFINE_string(
  'kept', None, "Rows of `frontier` that need not be measured, and new ones'."
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
  'frontier': 'resflax.benchmarks.frontier',
}
# `all` leaves out what takes long, and without libtpu what needs it.
APART = (
  *('memory', 'tpu_published', 'frontier'),
  *(() if find_spec('libtpu') else ('tpu',)),
)
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
  if DEVICE.value != 'cpu' and names not in (['step'], ['frontier']):
    raise UsageError(
      f'--device={DEVICE.value} is for `step` and `frontier`, each alone.'
    )
  for flag, name in ((FOLDER, 'input'), (KEPT, 'frontier')):
    if flag.value and names != [name]:
      raise UsageError(f'--{flag.name} is for `{name}` alone.')
  rows = _rows(names)
  if JSON.value:
    for name, row in rows:
      print(json.dumps({'benchmark': name, **row._asdict()}), flush=True)
  else:
    _show(rows)


def _rows(names: Iterable[str]) -> Iterator[tuple[str, NamedTuple]]:
  for name in names:
    module, options = BENCHMARKS[name], {}
    if name == 'step':
      module = STEPS.get(DEVICE.value, module)
    elif name == 'input':
      options = {'folder': FOLDER.value} if FOLDER.value else {}
    elif name == 'frontier':
      options = {'device': DEVICE.value, 'kept': KEPT.value}
    module = importlib.import_module(module)
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
