"""Evaluates a run or a file of weights on whole splits, exactly once.

  python -m scripts.evaluate --workdir=/tmp/digits [--checkpoint=best] \\
    [--split='train[90%:]'] [--dataset=NAME|folder:DIR] [--resolution=40]
  python -m scripts.evaluate --workdir=/tmp/digits --resolution=24..48:8 \\
    --recalibrate_bn=8 --plot=/tmp/digits/resolutions.svg
  python -m scripts.evaluate --weights=resnet50.safetensors \\
    --dataset=imagenet2012,imagenet_v2,imagenet2012_real,imagenet_a \\
    --reliability=/tmp/reliability.svg
  python -m scripts.evaluate --weights=resnet50.safetensors \\
    --dataset='imagenet2012_corrupted/*'
"""

import re
import sys

from absl import flags

from resflax.errors import UsageError
from scripts import trained
from scripts.command import run
from scripts.evaluate_table import Printer

DATASET = flags.DEFINE_list(
  'dataset',
  [],
  "TFDS names or folder:DIR; NAME/* = its prepared configs; unset = the run's.",
)
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, 'Where TFDS data lies; unset = where the run had it.'
)
SPLIT = flags.DEFINE_string(
  'split', None, 'Such as test or train[90%:]; unset = the test split.'
)
RESOLUTION = flags.DEFINE_string(
  'resolution',
  None,
  "Pixels a side, or several as 128..320:32; unset = the run's.",
)
CROP = flags.DEFINE_float(
  'crop',
  None,
  "Part of the short side kept; unset = the run's, of ImageNet-C all.",
  lower_bound=0.1,
  upper_bound=1.0,
)
BATCH_SIZE = flags.DEFINE_integer(
  'batch_size', None, "Examples at once; unset = the run's.", lower_bound=1
)
RECALIBRATE_BN = flags.DEFINE_integer(
  'recalibrate_bn',
  0,
  'Take batch statistics anew from so many batches of training images.',
  lower_bound=0,
)
PLOT = flags.DEFINE_string(
  'plot', None, 'An .svg or .png file of accuracy over resolutions.'
)
RELIABILITY = flags.DEFINE_string(
  'reliability', None, 'An .svg or .png file of accuracy over confidence.'
)
JSON = flags.DEFINE_bool('json', False, 'Print a JSON object a line instead.')


def main(argv) -> None:
  """Evaluates and prints."""
  del argv
  trained.check_given()
  sizes = resolutions(RESOLUTION.value)
  _check_figures()
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  datasets = _datasets()
  # Weights know of no training images but those of a data set that is given.
  training = datasets[0] if RECALIBRATE_BN.value else None
  loaded = trained.load(
    data_dir=DATA_DIR.value, dataset=training, resolution=sizes[0]
  )
  asked = _asked(loaded, datasets)
  printer = Printer(asked, as_json=JSON.value)
  found = {}
  for size in sizes:
    sized = _recalibrated(loaded.with_preprocessing(resolution=size))
    for dataset, split in asked:
      outcome, calibrated = _evaluated(sized, dataset, split)
      found[outcome['dataset'], outcome['resolution']] = calibrated
      printer.show(outcome)
  printer.end()
  _draw(printer.outcomes, found, loaded.setup.resolved['resolution.train'])


def _check_figures() -> None:
  """Refuses figures that cannot be drawn, before anything slow."""
  from resflax.report.theme import check_figure

  for flag in (PLOT, RELIABILITY):
    if flag.value:
      check_figure(flag.value, f'--{flag.name}')


def _datasets() -> list:
  """Opens what is given; None stands for the run's own."""
  from resflax.data.names import configs_of
  from resflax.data.sources import load_dataset

  names = [
    name
    for given in DATASET.value
    for name in configs_of(given, DATA_DIR.value)
  ]
  if PLOT.value and len(names) > 1:
    raise UsageError(
      f'--plot draws resolutions of one data set, and {",".join(names[:3])} '
      'are several: give one --dataset.'
    )
  return [
    load_dataset(name, DATA_DIR.value, several=True) for name in names
  ] or [None]


def _asked(loaded, datasets) -> list[tuple]:
  """Returns data sets with their splits, each known to be there and to fit."""
  asked = []
  for given in datasets:
    dataset = given or loaded.setup.dataset
    split = SPLIT.value or loaded.test_split(given)
    if renamed := loaded.classes_in(dataset).renamed:
      print(
        'note: {}: classes are told by their number, for {!r} of the data set '
        'is {!r} of the net.'.format(dataset.info.name, *renamed),
        file=sys.stderr,
      )
    dataset.split(split)
    asked.append((dataset, split))
  return asked


def resolutions(text: str | None) -> list[int | None]:
  """Reads `160` or `128..320:32`; None is the run's own.

  Raises:
    UsageError: it is neither, or beyond 8 to 4,096 pixels.
  """
  if text is None:
    return [None]
  match = re.fullmatch(r'(\d+)(?:\.\.(\d+):([1-9]\d*))?', text)
  if match:
    first, last, step = (int(part or 0) for part in match.groups())
    sizes = list(range(first, last + 1, step)) if step else [first]
    if sizes and sizes[0] >= 8 and sizes[-1] <= 4096:
      return sizes
  raise UsageError(
    f'--resolution={text} takes pixels from 8 to 4096, or several as '
    'FIRST..LAST:STEP, such as 128..320:32.'
  )


def _recalibrated(run):
  if not RECALIBRATE_BN.value:
    return run
  from resflax.recalibration import recalibrated

  return recalibrated(run, RECALIBRATE_BN.value, batch_size=BATCH_SIZE.value)


def _evaluated(run, dataset, split) -> tuple[dict, object]:
  from resflax.data.imagenet import is_whole
  from resflax.report.calibration import calibration

  name = dataset.info.name
  crop = CROP.value or (1.0 if is_whole(name) else None)
  run = run.with_preprocessing(crop=crop) if crop else run
  evaluation = run.evaluate(dataset, split, batch_size=BATCH_SIZE.value)
  calibrated = calibration(
    evaluation.examples['probability'], evaluation.examples['top1']
  )
  outcome = {
    **trained.given(),
    'step': run.step,
    'dataset': name,
    'split': split,
    'resolution': run.preprocessing.resolution,
    'crop': run.preprocessing.crop,
    'recalibrated_batches': RECALIBRATE_BN.value,
    'top1': evaluation.top1,
    'top5': evaluation.top5,
    'loss': evaluation.loss,
    'ece': calibrated.error,
    'count': evaluation.count,
    'classes': len(run.classes_in(dataset).columns or run.class_names),
    'of_classes': len(run.class_names),
  }
  return outcome, calibrated


def _draw(outcomes: list, found: dict, train_size: int) -> None:
  from resflax.report.reliability import draw_reliability
  from resflax.report.resolutions import draw_curve
  from resflax.report.theme import save

  if PLOT.value:
    print(save(PLOT.value, draw_curve, outcomes, train_size))
  if RELIABILITY.value:
    panels = {f'{name}, {size} px': c for (name, size), c in found.items()}
    print(
      save(RELIABILITY.value, draw_reliability, panels, flag='--reliability')
    )


if __name__ == '__main__':
  run(main)
