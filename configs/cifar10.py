"""CIFAR-10 (Krizhevsky 2009): 60,000 colour pictures of 32 x 32 pixels.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.train --config=configs/cifar10.py --workdir=/tmp/cifar10

The nets of He et al. 2016, section 4.2, by `:resnet20` to `:resnet110`.
`:full` is their schedule's length (64,000 steps of 128; not run here); the
default is a short run for two CPU cores.

Measured: 80.8 % on two CPU cores (docs/results/cifar10.md).
"""

from configs.base import base_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(arg, variant='resnet20', full=False, runlocal=False)
  c = base_config()
  c.batch_size = 128

  c.data.name = 'cifar10'
  c.data.mean = (0.491, 0.482, 0.447)
  c.data.std = (0.247, 0.243, 0.262)
  c.augment.crop = 'pad'  # 4 of 32 pixels on each side

  c.model.variant = f'{arg["variant"]}_cifar'

  c.resolution.train = 32
  if not arg['full']:
    c.resolution.schedule = 'linear'
    c.resolution.start = 16
    c.resolution.stages = 3
    c.resolution.multiple = 8
  c.resolution.test_crop = 1.0

  c.optimizer.lr = 0.1
  c.optimizer.lr_reference_batch = 128
  c.optimizer.nesterov = True
  c.optimizer.weight_decay = 5e-4 if not arg['full'] else 1e-4
  c.schedule.total_epochs = 164.0 if arg['full'] else 8.0
  c.schedule.warmup_epochs = 1.0
  return shrink(c) if arg['runlocal'] else c
