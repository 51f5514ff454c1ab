"""Evaluates a run's model on every example of a split, exactly once.

  python -m scripts.evaluate --workdir=/tmp/digits [--checkpoint=best] \\
    [--split='train[90%:]'] [--dataset=NAME|folder:DIR] [--resolution=40]
"""

import json

from absl import flags

from resflax.errors import UsageError
from scripts.command import run

WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run.')
CHECKPOINT = flags.DEFINE_enum(
  'checkpoint', 'latest', ('latest', 'best'), 'Best is that on validation.'
)
DATASET = flags.DEFINE_string(
  'dataset', None, "TFDS name or folder:DIR; unset = the run's."
)
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, 'Where TFDS data lies; unset = where the run had it.'
)
SPLIT = flags.DEFINE_string(
  'split', None, 'Such as test or train[90%:]; unset = the test split.'
)
RESOLUTION = flags.DEFINE_integer(
  'resolution',
  None,
  "Pixels a side; unset = the run's.",
  lower_bound=8,
  upper_bound=4096,
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
JSON = flags.DEFINE_bool('json', False, 'Print a JSON object instead.')


def main(argv) -> None:
  """Evaluates and prints."""
  del argv
  if not WORKDIR.value:
    raise UsageError('--workdir is missing: give that of scripts.train.')
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.data.sources import load_dataset
  from resflax.runs import load_run
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  loaded = load_run(
    WORKDIR.value, checkpoint=CHECKPOINT.value, data_dir=DATA_DIR.value
  ).with_preprocessing(resolution=RESOLUTION.value, crop=CROP.value)
  dataset = DATASET.value and load_dataset(DATASET.value, DATA_DIR.value)
  split = SPLIT.value or loaded.test_split(dataset)
  evaluation = loaded.evaluate(dataset, split, batch_size=BATCH_SIZE.value)
  preprocessing = loaded.preprocessing
  outcome = {
    'workdir': WORKDIR.value,
    'step': loaded.step,
    'dataset': (dataset or loaded.setup.dataset).info.name,
    'split': split,
    'resolution': preprocessing.resolution,
    'crop': preprocessing.crop,
    'top1': evaluation.top1,
    'top5': evaluation.top5,
    'loss': evaluation.loss,
    'count': evaluation.count,
  }
  print(json.dumps(outcome) if JSON.value else _line(**outcome))


def _line(*, dataset, split, top1, top5, loss, count, step, **_) -> str:
  return (
    f'{dataset} {split}: top1 {top1:.2%}  top5 {top5:.2%}  loss {loss:.4f}  '
    f'on {count:,} images after {step:,} steps'
  )


if __name__ == '__main__':
  run(main)
