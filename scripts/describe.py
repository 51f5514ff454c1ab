"""Prints what a model costs, stage by stage, or all models beside their papers.

python -m scripts.describe --model=resnet_rs_50 --resolution=160
python -m scripts.describe --all
"""

import dataclasses
import json
import sys

from absl import flags
from rich import box
from rich.console import Console
from rich.table import Table

from resflax import scaling
from resflax.errors import UsageError
from resflax.published import DERIVED, PUBLISHED
from resflax.variants import ALIASES, variant
from scripts.command import run

MODEL = flags.DEFINE_string('model', None, 'A variant, such as resnet50.')
RESOLUTION = flags.DEFINE_integer(
  'resolution', None, 'Pixels a side; unset = as published.'
)
NUM_CLASSES = flags.DEFINE_integer(
  'num_classes', None, 'Outputs of the classifier; unset = as published.'
)
WIDTH = flags.DEFINE_float('width', None, 'Multiplies every feature count.')
CHANNELS = flags.DEFINE_integer('channels', 3, 'Channels of the image.')
OUTPUT_STRIDE = flags.DEFINE_integer(
  'output_stride', None, '8, 16 or 32 by dilation; unset = by the strides.'
)
PRECISION = flags.DEFINE_enum(
  'precision', 'float32', ('float32', 'bfloat16'), 'Type of activations.'
)
ALL = flags.DEFINE_bool('all', False, 'Every variant, beside its publication.')
JSON = flags.DEFINE_bool('json', False, 'Print JSON instead of a table.')


def main(argv: list[str]) -> int:
  """Describes one model or all; returns the exit code."""
  del argv
  if ALL.value:
    for flag in (MODEL, RESOLUTION, NUM_CLASSES, WIDTH, OUTPUT_STRIDE):
      if flag.value is not None:
        raise UsageError(
          f'--{flag.name}={flag.value} has no meaning beside --all, which '
          'describes every variant as published: leave one out.'
        )
    return compare_all(as_json=JSON.value)
  if not MODEL.value:
    raise UsageError('--model is missing: give --model=resnet50, or --all.')
  _describe(MODEL.value)
  return 0


def _describe(name: str) -> None:
  fields = variant(name) | {'width': WIDTH.value}
  published = PUBLISHED[ALIASES.get(name, name)]
  resolution = _first(RESOLUTION.value, *published.macs)
  num_classes = _first(NUM_CLASSES.value, published.num_classes)
  costs = scaling.count(
    fields,
    resolution,
    num_classes=num_classes,
    in_channels=CHANNELS.value,
    output_stride=OUTPUT_STRIDE.value,
  )
  total = scaling.totals(costs)
  if JSON.value:
    print(
      json.dumps(
        {
          'model': name,
          'resolution': resolution,
          'num_classes': num_classes,
          'parts': [dataclasses.asdict(cost) for cost in costs],
          'total': dataclasses.asdict(total),
        },
        indent=2,
      )
    )
    return
  table = Table(
    title=f'{name}, one image of {resolution} pixels, {PRECISION.value}',
    box=box.SIMPLE,
  )
  table.add_column('part')
  for column in ('output', 'blocks', 'params', 'MACs', 'activations'):
    table.add_column(column, justify='right')
  for cost in costs:
    table.add_row(*_cells(cost))
  table.add_section()
  table.add_row(*_cells(total), style='bold')
  _print(table)


def _cells(cost: scaling.Cost) -> tuple[str, ...]:
  size = 2 if PRECISION.value == 'bfloat16' else 4
  return (
    cost.name,
    ' x '.join(map(str, cost.output_shape)),
    str(cost.blocks or ''),
    f'{cost.params:,}',
    f'{cost.macs:,}',
    f'{cost.activations * size / 2**20:.2f} MiB',
  )


def compare_all(*, as_json: bool) -> int:
  """Prints every variant beside its publication; returns 1 if one differs."""
  rows = [
    _compare(name, resolution)
    for name, published in PUBLISHED.items()
    for resolution in published.macs
  ]
  if as_json:
    print(json.dumps(rows, indent=2))
  else:
    table = Table(box=box.SIMPLE, title='Counted beside published')
    for column in rows[0]:
      text = column in ('model', 'mark', 'source')
      table.add_column(
        column.replace('_', ' '), justify='left' if text else 'right'
      )
    for row in rows:
      table.add_row(
        *(f'{v:,}' if isinstance(v, int) else v or '' for v in row.values())
      )
    _print(table)
  return int(any(row['mark'] == 'DIFFERS' for row in rows))


def _compare(name: str, resolution: int) -> dict:
  """Returns one row of `--all`."""
  published = PUBLISHED[name]
  total = scaling.totals(
    scaling.count(name, resolution, num_classes=published.num_classes)
  )
  expected = (published.params, published.macs[resolution])
  equal = (total.params, total.macs) == expected
  derived = equal and published.source == DERIVED
  return {
    'model': name,
    'resolution': resolution,
    'params': total.params,
    'published_params': None if derived else expected[0],
    'macs': total.macs,
    'published_macs': None
    if derived or not published.macs_published
    else expected[1],
    'mark': 'derived' if derived else 'equal' if equal else 'DIFFERS',
    'source': None if derived else published.source,
  }


def _first(*values):
  return next(value for value in values if value is not None)


def _print(table: Table) -> None:
  # A pipe has no width of its own: rich would cut the columns at 80.
  width = None if sys.stdout.isatty() else 140
  Console(width=width).print(table)


if __name__ == '__main__':
  run(main)
