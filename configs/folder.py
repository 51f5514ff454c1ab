"""Your own pictures: a folder of class folders, or a prepared data set.

  python -m scripts.train --config=configs/folder.py:DIR --workdir=/tmp/mine
  python -m scripts.train --config=configs/folder.py:name=NAME --workdir=DIR

DIR holds either DIR/CLASS/*.jpg, or DIR/train/CLASS/*.jpg with DIR/validation
and DIR/test beside it. `configs/folder.py:DIR,variant=resnet18` picks the net;
DIR itself may hold commas and equal signs. NAME is what `prepare_data` made of
such a folder, or any other data set without a config of its own.
"""

from configs.base import base_config, shrink
from resflax.arguments import parse_arg, split_folder


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and keeps the data."""
  rest = {'variant': 'resnet_rs_50', 'runlocal': False}
  if (arg or '').startswith('name='):
    arg = parse_arg(arg, name=str, **rest)
  else:
    folder, arg = split_folder(arg)
    arg = {'name': f'folder:{folder}', **parse_arg(arg, **rest)}
  c = base_config()
  c.batch_size = 64

  c.data.name = arg['name']
  c.augment.crop = 'random_resized'
  c.augment.area = (0.25, 1.0)  # few pictures, of one thing each

  c.model.variant = arg['variant']
  c.model.dropout_rate = 0.25
  c.loss.label_smoothing = 0.1

  c.resolution.schedule = 'linear'
  c.resolution.start = 96
  c.resolution.train = 160
  c.resolution.stages = 3
  c.resolution.multiple = 32

  c.optimizer.lr = 0.1
  c.schedule.total_epochs = 50.0
  c.schedule.warmup_epochs = 5.0
  return shrink(c, keep_data=True) if arg['runlocal'] else c
