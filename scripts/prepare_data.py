"""Prepares a TFDS data set for training, once; needs TensorFlow.

python -m scripts.prepare_data --dataset=fashion_mnist
python -m scripts.prepare_data --dataset=imagenet2012 --from_dir=DIR
"""

import os

from absl import flags

from resflax.data.prepared import default_dir
from resflax.data.preparing import prepare
from resflax.errors import UsageError
from scripts.command import run

DATASET = flags.DEFINE_string('dataset', None, 'A TFDS name, as cifar10.')
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, "Where the data goes; unset = TFDS's default."
)
FROM_DIR = flags.DEFINE_string(
  'from_dir', None, 'Read the original files here instead of downloading.'
)

# Recipes for data sets by name; others start from the ImageNet recipe.
CONFIGS = {
  'digits': 'configs/digits.py',
  'fashion_mnist': 'configs/fashion_mnist.py',
  'cifar10': 'configs/cifar10.py',
  'imagenet2012': 'configs/imagenet/resnet.py',
}


def main(argv: list[str]) -> int:
  """Prepares the data set and says what to do with it."""
  del argv
  name = DATASET.value
  if not name:
    raise UsageError('--dataset is missing: give a name, as --dataset=cifar10.')
  dataset, was_there = prepare(name, DATA_DIR.value, FROM_DIR.value)
  info = dataset.info
  where = DATA_DIR.value or default_dir()
  state = 'is already prepared' if was_there else 'is prepared'
  print(f'{name} {info.version} {state} in {os.path.join(where, name)}')
  for split, count in info.splits.items():
    print(f'  {split}: {count:,} images')
  print(f'  {info.num_classes} classes, {info.channels} channel(s)')
  print(f'Train on it: {_train_command(name)}')
  return 0


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
