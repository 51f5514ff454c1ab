r"""Trains simple classifiers on a net's frozen features and counts.

  python -m scripts.probe --workdir=/tmp/digits --dataset=fashion_mnist
  python -m scripts.probe --weights=resnet50.safetensors --method=knn \
    --dataset=folder:DIR --neighbors=1,20,200 --json

The data set may have other classes than the net. Logistic regression
(`linear`) chooses its L2 strength on images that it does not train on; k
nearest neighbours (`knn`) have nothing to choose.
"""

import json
import sys

from absl import flags

from resflax.errors import UsageError
from scripts import trained
from scripts.command import run

DATASET = flags.DEFINE_string(
  'dataset', None, "TFDS name or folder:DIR; unset = the run's."
)
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, "Where TFDS data lies; unset = TFDS's default."
)
METHOD = flags.DEFINE_enum(
  'method', 'both', ('linear', 'knn', 'both'), 'Which classifier to train.'
)
TRAIN_SPLIT = flags.DEFINE_string(
  'train_split', None, 'To learn from, such as train[:10%]; unset = train.'
)
VAL_SPLIT = flags.DEFINE_string(
  'val_split',
  None,
  'To choose the L2 strength by, then to learn from; unset = validation where '
  'there is one beside test and no --train_split, else a fifth of train.',
)
TEST_SPLIT = flags.DEFINE_string(
  'test_split', None, 'To count on; unset = test, or validation.'
)
NEIGHBORS = flags.DEFINE_list('neighbors', ['20'], 'For knn, such as 1,20,200.')
L2 = flags.DEFINE_float(
  'l2', None, 'Strength for linear; unset = chosen of 45.', lower_bound=1e-12
)
RESOLUTION = flags.DEFINE_integer(
  'resolution', None, 'Pixels a side; unset = as it was tested.', lower_bound=8
)
BATCH_SIZE = flags.DEFINE_integer(
  'batch_size', None, "Images at once; unset = the run's.", lower_bound=1
)
JSON = flags.DEFINE_bool('json', False, 'Print a JSON object instead.')


def main(argv) -> None:
  """Probes and prints."""
  del argv
  trained.check_given()
  if trained.WEIGHTS.value and not DATASET.value:
    raise UsageError('--dataset is missing: weights come without one.')
  for method, flag in (('linear', L2), ('knn', NEIGHBORS)):
    if METHOD.value not in (method, 'both') and flag.present:
      raise UsageError(
        f'--{flag.name} is for --method={method}: leave it out, or take both.'
      )
  numbers = counts(NEIGHBORS.value)
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.data.sources import load_dataset
  from resflax.evaluation.classifiers import STRENGTHS
  from resflax.evaluation.probe import METHODS, prepare
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  dataset = DATASET.value and load_dataset(DATASET.value, DATA_DIR.value)
  net = trained.load(
    data_dir=None if dataset else DATA_DIR.value, resolution=RESOLUTION.value
  )
  probe = prepare(
    net.sized(BATCH_SIZE.value) if BATCH_SIZE.value else net,
    dataset or None,
    train=TRAIN_SPLIT.value,
    val=VAL_SPLIT.value,
    test=TEST_SPLIT.value,
    methods=METHODS if METHOD.value == 'both' else (METHOD.value,),
    neighbors=numbers,
    strengths=(L2.value,) if L2.value else STRENGTHS,
  )
  # Before the features are there, for they may be more than the memory.
  said = sys.stderr if JSON.value else sys.stdout
  print(_announced(probe), file=said, flush=True)
  outcome = probe.measure()
  if JSON.value:
    print(json.dumps(_row(probe, outcome)))
  else:
    _say(probe, outcome)


def counts(texts: list[str]) -> list[int]:
  """Reads `--neighbors`.

  Raises:
    UsageError: it is not numbers from 1 up.
  """
  if texts and all(text.isdecimal() and int(text) for text in texts):
    return sorted({int(text) for text in texts})
  raise UsageError(
    f'--neighbors={",".join(texts)} takes numbers from 1 up, such as 1,20,200.'
  )


def _announced(probe) -> str:
  images = ', '.join(
    f'{count:,} of {getattr(probe.splits, name)}'
    for name, count in probe.counts.items()
  )
  return (
    f'{probe.dataset.info.name} at {probe.run.preprocessing.resolution} px: '
    f'{probe.features:,} features of each image ({images}), '
    f'{probe.num_bytes / 1e6:,.1f} MB'
  )


def _say(probe, outcome) -> None:
  if found := outcome.linear:
    how = 'as given'
    if found.val_top1 is not None:
      how = (
        f'best of {len(probe.strengths)} on {probe.splits.chosen_on}: '
        f'{found.val_top1:.2%} of {found.val_count:,} images'
      )
    ended = '' if found.converged else '; stopped before it converged'
    print(f'linear: top1 {found.top1:.2%}  (L2 {found.l2:.4g}, {how}{ended})')
  for k, top1 in (outcome.neighbors or {}).items():
    print(f'{k}-NN: top1 {top1:.2%}')


def _row(probe, outcome) -> dict:
  found = outcome.linear
  splits = probe.splits
  return {
    **trained.given(),
    'step': probe.run.step,
    'dataset': probe.dataset.info.name,
    'resolution': probe.run.preprocessing.resolution,
    'train_split': splits.train,
    'test_split': splits.test,
    'chosen_on': splits.chosen_on if found and found.val_count else None,
    'counts': probe.counts,
    'features': probe.features,
    'feature_bytes': probe.num_bytes,
    'linear': found and found._asdict(),
    'knn': outcome.neighbors,
  }


if __name__ == '__main__':
  run(main)
