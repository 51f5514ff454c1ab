"""Evaluates a run or a file of weights on a whole split, exactly once.

  python -m scripts.evaluate --workdir=/tmp/digits [--checkpoint=best] \\
    [--split='train[90%:]'] [--dataset=NAME|folder:DIR] [--resolution=40]
  python -m scripts.evaluate --workdir=/tmp/digits --resolution=24..48:8 \\
    --recalibrate_bn=8 --plot=/tmp/digits/resolutions.svg
  python -m scripts.evaluate --weights=resnet50.safetensors \\
    --dataset=imagenet2012
"""

import json
import re

from absl import flags

from resflax.errors import UsageError
from scripts import trained
from scripts.command import run

DATASET = flags.DEFINE_string(
  'dataset', None, "TFDS name or folder:DIR; unset = the run's."
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
  "Part of the short side kept; unset = the run's.",
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
JSON = flags.DEFINE_bool('json', False, 'Print a JSON object a line instead.')


def main(argv) -> None:
  """Evaluates and prints."""
  del argv
  trained.check_given()
  sizes = resolutions(RESOLUTION.value)
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.data.sources import load_dataset
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  dataset = DATASET.value and load_dataset(DATASET.value, DATA_DIR.value)
  loaded = trained.load(
    data_dir=DATA_DIR.value, dataset=dataset, resolution=sizes[0]
  )
  outcomes = []
  for size in sizes:
    run = loaded.with_preprocessing(resolution=size, crop=CROP.value)
    outcomes.append(_evaluated(run, dataset))
    outcome = outcomes[-1]
    print(json.dumps(outcome) if JSON.value else _line(**outcome), flush=True)
  if PLOT.value:
    from resflax.report.resolutions import draw_curve
    from resflax.report.theme import save

    train_size = loaded.setup.resolved['resolution.train']
    print(save(PLOT.value, draw_curve, outcomes, train_size))


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


def _evaluated(run, dataset) -> dict:
  if RECALIBRATE_BN.value:
    from resflax.recalibration import recalibrated

    run = recalibrated(run, RECALIBRATE_BN.value, batch_size=BATCH_SIZE.value)
  split = SPLIT.value or run.test_split(dataset)
  evaluation = run.evaluate(dataset, split, batch_size=BATCH_SIZE.value)
  return {
    **trained.given(),
    'step': run.step,
    'dataset': (dataset or run.setup.dataset).info.name,
    'split': split,
    'resolution': run.preprocessing.resolution,
    'crop': run.preprocessing.crop,
    'recalibrated_batches': RECALIBRATE_BN.value,
    'top1': evaluation.top1,
    'top5': evaluation.top5,
    'loss': evaluation.loss,
    'count': evaluation.count,
  }


def _line(
  *, dataset, split, resolution, top1, top5, loss, count, step, **of
) -> str:
  whose = of.get('weights') or f'{step:,} steps'
  return (
    f'{dataset} {split} at {resolution} px: top1 {top1:.2%}  top5 {top5:.2%}  '
    f'loss {loss:.4f}  on {count:,} images after {whose}'
  )


if __name__ == '__main__':
  run(main)
