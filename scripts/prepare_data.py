"""Makes data ready for training, once, and says what is in it.

python -m scripts.prepare_data --dataset=fashion_mnist
python -m scripts.prepare_data --dataset=imagenet2012 --from_dir=DIR
python -m scripts.prepare_data --from_tfrecord=OLD/imagenet2012/5.1.0
python -m scripts.prepare_data --folder=DIR --dataset=my_photos
python -m scripts.prepare_data --dataset=imagenet2012 --max_side=512
python -m scripts.prepare_data --dataset=imagenet2012 --verify
"""

import os

from absl import flags

from resflax.data.converting import convert
from resflax.data.importing import import_folder
from resflax.data.prepared import PreparedDataset, default_dir
from resflax.data.preparing import prepare
from resflax.data.resizing import write_copy
from resflax.data.sources import load_dataset
from resflax.data.verifying import Report, verify
from resflax.errors import DataError, UsageError
from scripts.command import run

DATASET = flags.DEFINE_string(
  'dataset', None, 'A TFDS name, as cifar10; with --folder, the new name.'
)
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, "Where the data goes; unset = TFDS's default."
)
FROM_DIR = flags.DEFINE_string(
  'from_dir', None, 'Read the original files here instead of downloading.'
)
FROM_TFRECORD = flags.DEFINE_string(
  'from_tfrecord', None, 'Convert this TFRecord copy, as DIR/cifar10/3.0.2.'
)
FOLDER = flags.DEFINE_string(
  'folder', None, 'Import class folders from here, or a zip or tar of them.'
)
MAX_SIDE = flags.DEFINE_integer(
  'max_side', None, 'Write a copy with sides up to this.', lower_bound=8
)
QUALITY = flags.DEFINE_integer(
  'quality', 95, 'JPEG quality of the copy.', lower_bound=1, upper_bound=100
)
VERIFY = flags.DEFINE_bool(
  'verify', False, 'Decode everything once and report what is in it.'
)

# Recipes for data sets by name; others start from the ImageNet recipe.
CONFIGS = {
  'digits': 'configs/digits.py',
  'fashion_mnist': 'configs/fashion_mnist.py',
  'cifar10': 'configs/cifar10.py',
  'imagenet2012': 'configs/imagenet/resnet.py',
}

_SHOWN = 20  # bad files of each split


def main(argv: list[str]) -> int:
  """Prepares the data set and says what to do with it, or verifies it."""
  del argv
  _check_flags()
  if VERIFY.value:
    return _verify(DATASET.value)
  if FOLDER.value:
    dataset, was_there = import_folder(
      FOLDER.value, DATASET.value, DATA_DIR.value
    )
  elif FROM_TFRECORD.value:
    dataset, was_there = convert(FROM_TFRECORD.value, DATA_DIR.value)
  elif MAX_SIDE.value:
    dataset, was_there = write_copy(
      DATASET.value, MAX_SIDE.value, QUALITY.value, DATA_DIR.value
    )
  else:
    dataset, was_there = prepare(DATASET.value, DATA_DIR.value, FROM_DIR.value)
  _describe(dataset, was_there)
  return 0


def _check_flags() -> None:
  ways = {
    '--folder': FOLDER.value,
    '--from_tfrecord': FROM_TFRECORD.value,
    '--max_side': MAX_SIDE.value,
    '--verify': VERIFY.value,
    '--from_dir': FROM_DIR.value,
  }
  given = [flag for flag, value in ways.items() if value]
  if len(given) > 1:
    raise UsageError(f'One at a time: {" or ".join(given)}.')
  if not DATASET.value and given not in (['--folder'], ['--from_tfrecord']):
    raise UsageError('--dataset is missing: give a name, as --dataset=cifar10.')


def _describe(dataset: PreparedDataset, was_there: bool) -> None:
  info = dataset.info
  where = os.path.join(DATA_DIR.value or default_dir(), info.name)
  state = 'is already prepared' if was_there else 'is prepared'
  print(f'{info.name} {info.version} {state} in {where}')
  for split, count in info.splits.items():
    print(f'  {split}: {count:,} images')
  print(f'  {info.num_classes} classes, {info.channels} channel(s)')
  print(f'Train on it: {_train_command(info.name)}')


def _verify(name: str) -> int:
  dataset = load_dataset(name, DATA_DIR.value)
  report = verify(dataset, getattr(dataset, 'folder', None))
  print(f'{name} {dataset.info.version}')
  for split, found in report.splits.items():
    print(f'  {split}: {found.count:,} images, {len(found.bad):,} bad')
    if found.per_class:
      counts = [found.per_class[c] for c in range(dataset.info.num_classes)]
      print(f'    sides of {found.sides[0]} to {found.sides[1]} pixels')
      print(f'    {min(counts):,} to {max(counts):,} images a class')
    if found.repeated:
      print(f'    {found.repeated:,} images are in it more than once')
    for place, error in found.bad[:_SHOWN]:
      print(f'    {place}: {error}')
    if len(found.bad) > _SHOWN:
      print(f'    and {len(found.bad) - _SHOWN:,} more')
  _print_files(report)
  if not report.sound:
    raise DataError(f'{name} has bad images or changed files (see above).')
  return 0


def _print_files(report: Report) -> None:
  for split, other, count, place in report.shared:
    print(f'  {count:,} images of {split} are in {other} too, as {place}')
  if report.changed is None:
    print('  no checksums lie beside its files')
    return
  if not report.changed:
    print('  its files are what was written')
  for name in report.changed[:_SHOWN]:
    print(f'  changed since it was written: {name}')


def _train_command(name: str) -> str:
  config = CONFIGS.get(name)
  words = ['python -m scripts.train']
  words.append(f'--config={config or "configs/imagenet/resnet.py"}')
  if config is None:
    words.append(f'--config.data.name={name}')
  if DATA_DIR.value:
    words.append(f'--config.data.data_dir={DATA_DIR.value}')
  return ' '.join([*words, '--workdir=DIR'])


if __name__ == '__main__':
  run(main)
