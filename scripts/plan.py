r"""Prints which model to train for a budget, and why.

By the rules of ResNet-RS, for a config's budget or the MACs of its own model;
or by the law of a sweep of your own, with the forecast of its error:

  python -m scripts.plan --config=configs/imagenet/resnet_rs.py:macs=12e9
  python -m scripts.plan --config=configs/imagenet/resnet_rs.py:rs152_i256
  python -m scripts.plan --from_sweep=DIR --flops=1e16 --write=next.py
"""

import json
import sys

from absl import flags
from ml_collections import config_flags
from rich import box
from rich.console import Console
from rich.table import Table

from resflax import path
from resflax.config import own_point, plan_of, point_of
from resflax.errors import UsageError
from resflax.plan import Plan, regularisers
from resflax.resolved import Resolved
from resflax.rules import UNDECIDED
from resflax.sweeps.telling import shaped
from scripts import plan_sweep
from scripts.command import run

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
JSON = flags.DEFINE_bool('json', False, 'Print JSON instead of tables.')


def main(argv: list[str]) -> None:
  """Prints the decided fields, the neighbours on the path, and the growth."""
  del argv
  if plan_sweep.FROM_SWEEP.value:
    _show_next(*plan_sweep.planned(CONFIG.value))
    return
  plan_sweep.refuse_without_a_sweep()
  if CONFIG.value is None:
    raise UsageError(
      '--config is missing: give a config with a budget, or a sweep '
      '(--from_sweep).'
    )
  is_of_family = path.is_of_family(CONFIG.value.model.variant)
  if CONFIG.value.scaling.rule == 'off' and not is_of_family:
    raise UsageError(
      'The config has no rule to plan by: give a budget, as in '
      '--config=configs/imagenet/resnet_rs.py:macs=12e9, or set '
      '--config.scaling.rule=resnet_rs and --config.scaling.macs=MACS.'
    )
  # Opening a data set takes seconds: a typo is answered before.
  from resflax.data.described import load_or_describe
  from resflax.training.assemble import assemble

  data = CONFIG.value.data
  dataset = load_or_describe(data.name, data.data_dir)
  setup = assemble(CONFIG.value.to_dict(), source=dataset)
  if setup.resolved['scaling.rule'] == 'off':
    setup = assemble(_with_own_budget(setup.resolved), source=dataset)
  resolved = setup.resolved
  plan = plan_of(resolved, setup.num_examples)
  point = point_of(resolved, plan)
  decided = {
    name: resolved.derived.get(name, {'value': resolved[name], 'reason': 'set'})
    for name in (
      *plan.shape(),
      *regularisers(point, plan.epochs),
      'optimizer.weight_decay',
    )
  }
  if JSON.value:
    print(json.dumps({'fields': decided, **_summary(plan, point)}, indent=2))
  else:
    _print(plan, point, decided)


def _with_own_budget(resolved: Resolved) -> dict:
  """Returns the config with the MACs of its model as the rule's budget."""
  values, macs = CONFIG.value.to_dict(), own_point(resolved).macs
  depths, resolution = path.SMALLEST
  least = path.Point(depths, resolution).macs
  if macs < least:
    raise UsageError(
      f'The net of this config, {macs / 1e9:.3g} GMAC, lies below the path of '
      f'ResNet-RS, which begins at {least / 1e9:.3g}: nothing stands beside it '
      '(config.model, config.resolution.train).'
    )
  values['scaling'] |= {'rule': 'resnet_rs', 'macs': float(macs)}
  return values


def _summary(plan: Plan, point: path.Point) -> dict:
  return {
    **_row(point),
    'neighbours': [_row(p) for p in _neighbours(point) if p != point],
    'epochs': plan.epochs,
    'grow': plan.growth.value,
    'reason': plan.growth.reason,
    'excess': plan.excess(point) or None,
  }


def _row(point: path.Point) -> dict:
  names = ('depths', 'width', 'resolution', 'macs', 'milliseconds', 'source')
  return {name: getattr(point, name) for name in names}


def _show_next(plan: dict, lines: list[str]) -> None:
  """Prints the run that a sweep asks for."""
  if JSON.value:
    print(json.dumps(plan, indent=2))
    return
  console = _console()
  console.print(_fields(plan['fields']))
  for line in lines:
    console.print(line, highlight=False)


def _console() -> Console:
  return Console(width=None if sys.stdout.isatty() else 120)


def _fields(decided: dict) -> Table:
  fields = Table('field', 'value', 'why', box=box.SIMPLE)
  for name, entry in decided.items():
    fields.add_row(name, str(entry['value']), entry['reason'])
  return fields


def _print(plan: Plan, point: path.Point, decided: dict) -> None:
  console = _console()
  console.print(_fields(decided))
  names = ('', 'blocks', 'px', 'width', 'GMAC', 'TPU v3 ms', 'source')
  points = Table(*names, box=box.SIMPLE)
  for row in _neighbours(point):
    points.add_row(
      '->' if row == point else '',
      '-'.join(map(str, row.depths)),
      *(str(row.resolution), f'{row.width:g}'),
      *(f'{row.macs / 1e9:.2f}', _milliseconds(row), row.source),
    )
  console.print(points)
  if excess := plan.excess(point):
    console.print(f'note: {excess}', highlight=False)
  console.print(f'{plan.growth.value}: {plan.growth.reason}', highlight=False)
  if plan.growth.value == UNDECIDED:
    for name, of_pair in zip(('deep', 'wide'), plan.pair(), strict=True):
      console.print(
        f'{name}: {_told(of_pair)}', highlight=False, soft_wrap=True
      )


def _milliseconds(point: path.Point) -> str:
  """Returns the published time, or one that follows from the MACs."""
  about = '' if point.source == path.PUBLISHED else '~'
  return f'{about}{point.milliseconds:.0f}'


def _told(point: path.Point) -> str:
  """Returns a net, and the flags that set it."""
  shape = shaped(point.depths, point.width, point.resolution)
  depths = ','.join(map(str, point.depths))
  return (
    f"{shape} ({point.macs / 1e9:.2f} GMAC): --config.model.depths='({depths})'"
    f' --config.model.width={point.width:g}'
    f' --config.resolution.train={point.resolution}'
  )


def _neighbours(point: path.Point) -> list[path.Point]:
  """The point, between the published ones next to it in MACs."""
  published = list(path.published())
  below = [p for p in published if p.macs < point.macs][-1:]
  above = [p for p in published if p.macs > point.macs][:1]
  return [*below, point, *above]


if __name__ == '__main__':
  run(main)
