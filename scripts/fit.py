r"""Fits scaling laws to a sweep's runs, and says where they break.

  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR \
    --sweep=configs/sweeps/compute_ladder.py
  python -m scripts.fit --workdir=DIR [--metric=loss] [--hold_out=2]
  python -m scripts.fit --points=DIR/fit.csv
  python -m scripts.fit --published --out=/tmp/published

Writes fit.json, fit.csv, fit.svg, fit.png, frontier.svg and frontier.png; see
docs/fit.md.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from resflax.errors import UsageError
from resflax.paths import absolute
from scripts import law_flags
from scripts.command import run
from scripts.fit_tables import show

WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of a sweep.')
PUBLISHED = flags.DEFINE_bool(
  'published', False, 'Fit ResNet-RS and EfficientNet as published instead.'
)
POINTS = flags.DEFINE_string(
  'points', None, 'The fit.csv of an earlier fit, in place of a sweep.'
)
OUT = flags.DEFINE_string('out', None, "Gets the files; unset = the sweep's.")
LEVEL = flags.DEFINE_float(
  'level', 0.9, 'Of the intervals.', lower_bound=0.5, upper_bound=0.99
)
HOLD_OUT = flags.DEFINE_integer(
  'hold_out', 1, 'How many of the largest points to predict.', lower_bound=0
)
MIN_FLOPS = flags.DEFINE_float(
  'min_flops', 0.0, 'Leave out points of less compute.', lower_bound=0
)
REFITS = flags.DEFINE_integer(
  'refits', 1000, 'Of the bootstrap.', lower_bound=100
)
TRAIN_LOSS = flags.DEFINE_bool(
  'train_loss',
  False,
  'Evaluate pairs of deep and wide nets on their training images.',
)
JSON = flags.DEFINE_bool('json', False, 'Print fit.json instead of tables.')


def main(argv: list[str]) -> None:
  """Fits, writes the files and prints; refuses where that tells nothing."""
  del argv
  if [WORKDIR.value, POINTS.value, PUBLISHED.value or None].count(None) != 2:
    raise UsageError(
      'Give one of --workdir (of scripts.sweep), --points and --published.'
    )
  if PUBLISHED.value and law_flags.METRIC.value != 'error':
    raise UsageError('--published has errors alone (--metric).')
  if TRAIN_LOSS.value and WORKDIR.value is None:
    raise UsageError('--train_loss needs the runs of a --workdir.')
  for flag in (WORKDIR, POINTS):
    if flag.value == '':
      raise UsageError(f'--{flag.name} is empty.')
  if WORKDIR.value is not None and not Path(WORKDIR.value).is_dir():
    raise UsageError(f'There is no folder {WORKDIR.value!r} (--workdir).')
  from resflax.sweeps.writing import as_json, check_folder, provenance, write

  out = OUT.value or WORKDIR.value
  if out:
    check_folder(absolute(out))
  fits = _fits()
  report = {'fits': fits, 'provenance': provenance()}
  files = write(absolute(out), report) if out else []
  if JSON.value:
    print(as_json(report))
  else:
    for name, found in fits.items():
      show(name, found)
    print(*files, sep='\n')
  laws = [law for found in fits.values() for law in found['laws'].values()]
  pairs = [p for f in fits.values() for p in f.get('depth_or_width', ())]
  measured = any(pair['train'] for pair in pairs)  # so they were asked for
  if not measured and all('refused' in law for law in laws):
    found = next(iter(fits.values()))['laws']['all']
    raise UsageError(f'There is no law: {found["refused"]}.')


def _fits() -> dict[str, dict]:
  if PUBLISHED.value:
    return _published()
  return {'sweep': _sweep()} if POINTS.value is None else _again()


def _again() -> dict[str, dict]:
  from resflax.sweeps.analysis import analyse_runs
  from resflax.sweeps.table import read_table

  metric, fits = law_flags.METRIC.value, read_table(absolute(POINTS.value))
  for point in (point for points in fits.values() for point in points):
    if not getattr(point, metric):
      raise UsageError(f'{point.label} has no {metric} (--metric, --points).')
  return {
    name: analyse_runs(_large(points), metric, **_options())
    for name, points in fits.items()
  }


def _published() -> dict[str, dict]:
  from resflax.sweeps.analysis import analyse
  from resflax.sweeps.published_points import efficientnets, resnet_rs

  found = {'ResNet-RS': resnet_rs(), 'EfficientNet': efficientnets()}
  return {
    name: analyse(_large(points), **_options())
    for name, points in found.items()
  }


def _sweep() -> dict:
  from resflax.sweeps.analysis import analyse_runs
  from resflax.sweeps.overfitting import measure, pairs
  from resflax.sweeps.results import read_points

  points = _large(read_points(WORKDIR.value))
  if TRAIN_LOSS.value:
    both = [point for pair in pairs(points) for point in pair]
    for folder in dict.fromkeys(folder for p in both for folder in p.folders):
      measure(folder)
  return analyse_runs(points, law_flags.METRIC.value, **_options())


def _large(points: Sequence) -> list:
  """Returns the points that count (--min_flops).

  Raises:
    UsageError: none does.
  """
  large = [point for point in points if point.compute >= MIN_FLOPS.value]
  if not large:
    raise UsageError(
      f'--min_flops={MIN_FLOPS.value:g} leaves no point: the largest has '
      f'{points[-1].compute:.3g}.'
    )
  return large


def _options() -> dict:
  return {
    'level': LEVEL.value,
    'hold_out': HOLD_OUT.value,
    'least_decades': law_flags.least_decades(1.4 if PUBLISHED.value else None),
    'refits': REFITS.value,
  }


if __name__ == '__main__':
  run(main)
