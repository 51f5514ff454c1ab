"""Fashion-MNIST (Xiao et al. 2017): 70,000 grey pictures of 28 x 28 pixels.

  python -m scripts.prepare_data --dataset=fashion_mnist
  python -m scripts.train --config=configs/fashion_mnist.py --workdir=DIR

Measured: 91.7 % on two CPU cores (docs/results/fashion_mnist.md).
"""

from configs.base import base_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(arg, runlocal=False)
  c = base_config()
  c.batch_size = 128

  c.data.name = 'fashion_mnist'
  c.data.mean = (0.286,)
  c.data.std = (0.353,)
  c.augment.crop = 'pad'
  c.augment.pad = 0.0714  # 2 of 28 pixels

  c.model.variant = 'resnet20_cifar'
  c.model.width = 0.5
  c.loss.label_smoothing = 0.1

  c.resolution.schedule = 'linear'
  c.resolution.start = 20
  c.resolution.train = 28
  c.resolution.stages = 3
  c.resolution.test_crop = 1.0

  c.optimizer.lr = 0.1
  c.optimizer.lr_reference_batch = 128
  c.optimizer.nesterov = True
  c.optimizer.weight_decay = 5e-4
  c.schedule.total_epochs = 10.0
  c.schedule.warmup_epochs = 1.0
  return shrink(c) if arg['runlocal'] else c
