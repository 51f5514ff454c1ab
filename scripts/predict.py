"""Classifies image files with a run's model, or with weights of a file.

python -m scripts.predict --workdir=/tmp/digits IMAGE... [--top=5]
python -m scripts.predict --weights=resnet50.safetensors IMAGE...
"""

import os

from absl import flags

from resflax.errors import DataError, UsageError
from scripts import trained
from scripts.command import run

RESOLUTION = flags.DEFINE_integer(
  'resolution', None, 'Pixels a side; unset = as it was tested.', lower_bound=8
)
TOP = flags.DEFINE_integer('top', 5, 'Classes to print.', lower_bound=1)


def main(images: list[str]) -> None:
  """Prints the likeliest classes of each image, a line each.

  Raises:
    DataError: at the end, of those that cannot be used.
  """
  trained.check_given()
  if not images:
    raise UsageError('No image is given: name one file or more.')
  for image in images:
    if not os.path.isfile(image):
      raise UsageError(f'{image!r} is not a file: give image files.')
  # JAX and Orbax take seconds to import: a typo is answered before.
  from resflax.data.fill import bad_among
  from resflax.data.folders import FileRecords
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  loaded = trained.load(resolution=RESOLUTION.value)
  records = FileRecords('', images, [0] * len(images))
  channels = loaded.preprocessing.channels
  bad = bad_among(records, range(len(images)), channels)
  unusable = {example.index for example in bad}
  good = [image for i, image in enumerate(images) if i not in unusable]
  if good:
    records = FileRecords('', good, [0] * len(good))
    for image, row in zip(good, loaded.probabilities(records), strict=True):
      print(f'{image}: {_likeliest(row, loaded.class_names)}')
  if bad:
    listed = '; '.join(f'{example.place}: {example.reason}' for example in bad)
    raise DataError(f'Cannot use {len(bad)} of {len(images)} files: {listed}.')


def _likeliest(row, class_names: tuple[str, ...]) -> str:
  labels = (-row).argsort(kind='stable')[: TOP.value]
  return ', '.join(f'{class_names[i]} {row[i]:.1%}' for i in labels)


if __name__ == '__main__':
  run(main, positional=True)
