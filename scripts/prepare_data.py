"""Makes data ready for training, once, and says what is in it.

python -m scripts.prepare_data --dataset=fashion_mnist
python -m scripts.prepare_data --dataset=imagenet2012 --from_dir=DIR
python -m scripts.prepare_data --from_tfrecord=OLD/imagenet2012/5.1.0
python -m scripts.prepare_data --folder=DIR --dataset=my_photos
python -m scripts.prepare_data --dataset=imagenet2012 --max_side=512
python -m scripts.prepare_data --dataset=imagenet2012 --verify
"""

from absl import flags

from resflax.data.converting import convert
from resflax.data.importing import import_folder
from resflax.data.local import storing, target_dir
from resflax.data.prepared import PreparedDataset
from resflax.data.preparing import prepare
from resflax.data.resizing import write_copy
from resflax.data.sources import FOLDER as FOLDER_NAME
from resflax.data.sources import load_dataset
from resflax.data.verifying import Report, SplitReport, verify
from resflax.errors import DataError, UsageError
from scripts.command import run
from scripts.recipes import train_command

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

# The ways there are besides preparing by name.
_WAYS = ('folder', 'from_tfrecord', 'max_side', 'verify')
# What other flags go with; None is preparing by name.
_GO_WITH = {
  'dataset': (None, 'folder', 'max_side', 'verify'),
  'from_dir': (None,),
  'quality': ('max_side',),
  'data_dir': (None, *_WAYS),
}

_SHOWN = 20  # bad files of each split


def main(argv: list[str]) -> int:
  """Prepares the data set and says what to do with it, or verifies it."""
  del argv
  _check_flags()
  if VERIFY.value:
    return _verify(DATASET.value)
  data_dir = target_dir(DATA_DIR.value)
  with storing(data_dir):
    dataset, was_there = _write(data_dir)
  _check_whole(dataset)
  _describe(dataset, was_there)
  return 0


def _check_flags() -> None:
  given = {
    name
    for name in (*_WAYS, *_GO_WITH)
    if flags.FLAGS[name].present and flags.FLAGS[name].value is not False
  }
  ways = [way for way in _WAYS if way in given]
  if len(ways) > 1:
    raise UsageError(f'One at a time: --{" or --".join(ways)}.')
  way = ways[0] if ways else None
  for name in sorted(given):
    if flags.FLAGS[name].value == '':
      raise UsageError(f'--{name} is empty: give a value, or leave it out.')
    allowed = _GO_WITH.get(name, (way,))
    if way not in allowed:
      without = f'without --{allowed[0]}' if allowed[0] else f'with --{way}'
      raise UsageError(f'--{name} has no effect {without}: leave it out.')
  if 'dataset' not in given and way not in ('folder', 'from_tfrecord'):
    raise UsageError('--dataset is missing: give a name, as --dataset=cifar10.')
  if way != 'verify' and (DATASET.value or '').startswith(FOLDER_NAME):
    raise UsageError(
      f'--dataset={DATASET.value} needs no preparing: import it with '
      '--folder=DIR --dataset=NAME, or train with configs/folder.py:DIR.'
    )


def _write(data_dir: str) -> tuple[PreparedDataset, bool]:
  if FOLDER.value:
    return import_folder(FOLDER.value, DATASET.value, data_dir)
  if FROM_TFRECORD.value:
    return convert(FROM_TFRECORD.value, data_dir)
  if MAX_SIDE.value:
    return write_copy(DATASET.value, MAX_SIDE.value, QUALITY.value, data_dir)
  return prepare(DATASET.value, data_dir, FROM_DIR.value)


def _check_whole(dataset: PreparedDataset) -> None:
  """Opens its files: those of a set that was there may be gone."""
  try:
    for split in dataset.info.splits:
      dataset.split(split)
  except DataError as error:
    raise DataError(f'{error} Delete {dataset.folder} first.') from error


def _describe(dataset: PreparedDataset, was_there: bool) -> None:
  info, folder = dataset.info, dataset.folder
  name = f'{info.name.partition(":")[0]} {info.version}'
  if was_there:
    print(f'{name} is already prepared: delete {folder} to prepare it again')
  else:
    print(f'{name} is prepared in {folder}')
  for split, count in info.splits.items():
    print(f'  {split}: {_images(count)}')
  print(f'  {info.num_classes} classes, {info.channels} channel(s)')
  print(f'Train on it: {train_command(info.name, DATA_DIR.value)}')


def _images(count: int) -> str:
  return f'{count:,} image' if count == 1 else f'{count:,} images'


def _verify(name: str) -> int:
  dataset = load_dataset(name, DATA_DIR.value)
  report = verify(dataset, getattr(dataset, 'folder', None))
  print(f'{name} {dataset.info.version}')
  for split, found in report.splits.items():
    _print_split(split, found, dataset.info.num_classes)
  _print_files(report)
  if not report.sound:
    raise DataError(f'{name} has bad images or changed files (see above).')
  return 0


def _print_split(name: str, found: SplitReport, num_classes: int) -> None:
  if found.count:
    print(f'  {name}: {_images(found.count)}, {len(found.bad):,} bad')
  else:
    print(f'  {name}: not looked through, for some of its files are bad')
  if found.per_class:
    counts = [found.per_class[c] for c in range(num_classes)]
    print(f'    sides of {found.sides[0]} to {found.sides[1]} pixels')
    print(f'    {min(counts):,} to {_images(max(counts))} a class')
  for place, before in found.repeated[:1]:
    print(
      f'    {_images(len(found.repeated))} seen before: {place} is {before}'
    )
  for place, error in found.bad[:_SHOWN]:
    print(f'    {place}: {error}')
  if len(found.bad) > _SHOWN:
    print(f'    and {len(found.bad) - _SHOWN:,} more')


def _print_files(report: Report) -> None:
  for split, other, count, place, other_place in report.shared:
    print(
      f'  {_images(count)} of {split} in {other} too: {place} is {other_place}'
    )
  if report.changed is None:
    print('  no checksums lie beside its files')
    return
  if not report.changed:
    print('  its files are what was written')
  for name in report.changed[:_SHOWN]:
    print(f'  changed since it was written: {name}')


if __name__ == '__main__':
  run(main)
