r"""Fits scaling laws to a sweep's runs, and says where they break.

  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR \
    --sweep=configs/sweeps/compute_ladder.py
  python -m scripts.fit --workdir=DIR [--metric=loss] [--hold_out=2]
  python -m scripts.fit --published --out=/tmp/published

Writes fit.json, fit.csv, fit.svg, fit.png, frontier.svg and frontier.png; see
docs/fit.md.
"""

import sys
from pathlib import Path

from absl import flags
from rich import box
from rich.console import Console
from rich.table import Table

from resflax.errors import UsageError
from resflax.paths import absolute
from scripts.command import run

WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of a sweep.')
PUBLISHED = flags.DEFINE_bool(
  'published', False, 'Fit ResNet-RS and EfficientNet as published instead.'
)
OUT = flags.DEFINE_string('out', None, "Gets the files; unset = the sweep's.")
METRIC = flags.DEFINE_enum(
  'metric', 'error', ('error', 'loss'), 'Held-out error, or cross-entropy.'
)
LEVEL = flags.DEFINE_float(
  'level', 0.9, 'Of the intervals.', lower_bound=0.5, upper_bound=0.99
)
HOLD_OUT = flags.DEFINE_integer(
  'hold_out', 1, 'How many of the largest points to predict.', lower_bound=0
)
DECADES = flags.DEFINE_float(
  'decades', None, 'Least range of compute [1.5; 1.4 if --published].'
)
REFITS = flags.DEFINE_integer(
  'refits', 1000, 'Of the bootstrap.', lower_bound=100
)
TRAIN_LOSS = flags.DEFINE_bool(
  'train_loss',
  False,
  'Evaluate pairs of deep and wide nets on their training images.',
)
TIMES = ('step_ms', 'tpu_ms')
JSON = flags.DEFINE_bool('json', False, 'Print fit.json instead of tables.')


def main(argv: list[str]) -> None:
  """Fits, writes the files and prints; refuses where there is no law."""
  del argv
  if (WORKDIR.value is None) != PUBLISHED.value:
    raise UsageError(
      'Give one of --workdir (of scripts.sweep) and --published.'
    )
  if PUBLISHED.value and METRIC.value != 'error':
    raise UsageError('--published has errors alone (--metric).')
  if not PUBLISHED.value and not Path(WORKDIR.value).is_dir():
    raise UsageError(f'There is no folder {WORKDIR.value!r} (--workdir).')
  from resflax.sweeps.writing import as_json, provenance, write

  fits = _published() if PUBLISHED.value else {'sweep': _sweep()}
  report = {'fits': fits, 'provenance': provenance()}
  out = OUT.value or WORKDIR.value
  files = write(absolute(out), report) if out else []
  if JSON.value:
    print(as_json(report))
  else:
    for name, found in fits.items():
      _print(name, found)
    print(*files, sep='\n')
  laws = [law for found in fits.values() for law in found['laws'].values()]
  if all('refused' in law for law in laws):
    raise UsageError(f'There is no law: {laws[0]["refused"]}.')


def _published() -> dict[str, dict]:
  from resflax.sweeps.analysis import analyse
  from resflax.sweeps.published_points import efficientnets, resnet_rs

  found = {'ResNet-RS': resnet_rs(), 'EfficientNet': efficientnets()}
  return {name: analyse(points, **_options()) for name, points in found.items()}


def _sweep() -> dict:
  from resflax.sweeps.analysis import analyse
  from resflax.sweeps.overfitting import measure, pairs, verdicts
  from resflax.sweeps.results import read_points

  points = read_points(WORKDIR.value)
  losses = {}
  if TRAIN_LOSS.value:
    both = [point for pair in pairs(points) for point in pair]
    folders = dict.fromkeys(folder for p in both for folder in p.folders)
    losses = {folder: measure(folder) for folder in folders}
  return {
    **analyse(points, METRIC.value, **_options()),
    'depth_or_width': verdicts(points, losses),
  }


def _options() -> dict:
  least = DECADES.value
  if least is None:
    least = 1.4 if PUBLISHED.value else 1.5
  return {
    'level': LEVEL.value,
    'hold_out': HOLD_OUT.value,
    'least_decades': least,
    'refits': REFITS.value,
  }


def _print(name: str, found: dict) -> None:
  """Prints a fit's laws, what it predicts, its frontier and its pairs."""
  console = Console(width=None if sys.stdout.isatty() else 120)
  level, laws = f'{found["level"]:.0%}', _named(found)
  console.print(_laws(f'{name}: {found["metric"]}', laws, level))
  for law, entry in laws.items():
    if 'refused' in entry:
      console.print(f'{law}: no law: {entry["refused"]}', highlight=False)
    if 'held_out_refused' in entry:
      reason = entry['held_out_refused']
      console.print(f'{law}: nothing held out: {reason}', highlight=False)
    for row in entry.get('held_out', ()):
      console.print(_prediction(law, row, level), highlight=False)
  console.print(_frontier(found))
  for row in found.get('depth_or_width', ()):
    console.print(_pair(row), highlight=False)


def _named(found: dict) -> dict[str, dict]:
  """Returns the laws by name; those of the same points share a line."""
  names: dict[tuple, list[str]] = {}
  for name, entry in found['laws'].items():
    names.setdefault(tuple(sorted(entry['points'])), []).append(name)
  return {' = '.join(n): found['laws'][n[0]] for n in names.values()}


def _laws(title: str, laws: dict[str, dict], level: str) -> Table:
  """A row a parameter; what belongs to the law stands in its first."""
  table = Table(title=title, box=box.SIMPLE)
  for column in (
    *('law', 'points', 'decades', '', 'value', f'{level}, profile'),
    *('bootstrap', 'refits refused', 'misfit p'),
  ):
    table.add_column(column, no_wrap=True)
  for law, entry in laws.items():
    if 'refused' in entry:
      continue
    misfit = entry['lack_of_fit_p']
    before = law, str(len(entry['points'])), f'{entry["decades"]:.2f}'
    after = (
      f'{entry["refits_refused"]:.1%}',
      '' if misfit is None else f'{misfit:.2g}',
    )
    for parameter in ('exponent', 'floor', 'scale'):
      value = entry[parameter]
      table.add_row(
        *(*before, parameter, f'{value["value"]:.4g}'),
        *(_range(value[kind]) for kind in ('interval', 'bca')),
        *after,
      )
      before, after = ('',) * 3, ('',) * 2
  return table


def _prediction(law: str, row: dict, percent: str) -> str:
  verdict = 'inside' if row['inside'] else 'OUTSIDE: the law breaks'
  return (
    f'{law} without {row["label"]} says {row["predicted"]:.4g} '
    f'({percent} {_range(row["interval"])}); it reached '
    f'{row["measured"]:.4g}, {verdict}'
  )


def _frontier(found: dict) -> Table:
  table = Table(title='frontier of compute', box=box.SIMPLE)
  for name in ('label', 'blocks', 'width', 'px', 'epochs', 'FLOPs', 'GMAC'):
    table.add_column(name)
  table.add_column('step, ms')
  table.add_column('TPU, ms')
  table.add_column(found['metric'])
  for index in found['pareto']['compute']:
    point = found['points'][index]
    table.add_row(
      *(point['label'], '-'.join(map(str, point['depths']))),
      *(f'{point["width"]:g}', str(point['resolution'])),
      *(f'{point["epochs"]:.3g}', f'{point["compute"]:.3g}'),
      f'{point["macs"] / 1e9:.3g}',
      *(f'{point[key]:.3g}' if point[key] else '' for key in TIMES),
      f'{point["mean"]:.4g}',
    )
  return table


def _pair(row: dict) -> str:
  words = f'{row["wide"]} minus {row["deep"]}, {row["epochs"]:.3g} epochs: '
  held_out, half = row['held_out']
  words += f'held-out cross-entropy {held_out:+.4f} ± {half:.4f}, '
  if row['train']:
    words += 'on training images {:+.4f} ± {:.4f}, '.format(*row['train'])
  else:
    words += 'on training images not measured (--train_loss), '
  return words + f'so grow {row["grow"]}'


def _range(ends: list[float]) -> str:
  return f'{ends[0]:.4g} to {ends[1]:.4g}'


if __name__ == '__main__':
  run(main)
