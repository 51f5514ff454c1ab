"""Which config trains on a prepared data set."""

import re
import shlex

# Those of their own; others start from that for own pictures.
CONFIGS = {
  'digits': 'configs/digits.py',
  'fashion_mnist': 'configs/fashion_mnist.py',
  'cifar10': 'configs/cifar10.py',
  'imagenet2012': 'configs/imagenet/resnet.py',
}


def train_command(name: str, data_dir: str | None) -> str:
  """The command that trains on a prepared set, to be pasted into a shell."""
  original = re.sub(r'(_max\d+\w*)?(:.*)?$', '', name)  # of a copy or version
  config = CONFIGS.get(original, f'configs/folder.py:name={name}')
  words = ['python', '-m', 'scripts.train', f'--config={config}']
  if original in CONFIGS and original != name:
    words.append(f'--config.data.name={name}')
  if data_dir:
    words.append(f'--config.data.data_dir={data_dir}')
  return shlex.join([*words, '--workdir=DIR'])
