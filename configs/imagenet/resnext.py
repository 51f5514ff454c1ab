r"""ImageNet, ResNeXt (Xie et al. 2017). Not run at full scale.

  python -m scripts.train --config=configs/imagenet/resnext.py --workdir=DIR
  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/resnext.py:resnext101_32x4d

SGD with Nesterov momentum 0.9, batch 256, learning rate 0.1 over 10 at epochs
30 and 60 of 90, no warm-up, weight decay 1e-4 (here on kernels alone), colour
jitter of 0.4 and PCA lighting of 0.1, as fb.resnet.torch has it. Larger batches
take a linear rate and want a warm-up: `batch=1024` adds 5 epochs of it.

Expected top-1 (the authors' repository): resnext50_32x4d 77.8,
resnext101_32x4d 78.8, resnext101_64x4d 79.6 %.
"""

from configs.base import imagenet_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(arg, variant='resnext50_32x4d', batch=256, runlocal=False)
  c = imagenet_config(batch=arg['batch'])
  c.model.variant = arg['variant']
  c.resolution.train = 224
  c.augment.color_jitter = 0.4
  c.augment.lighting = 0.1

  c.optimizer.lr = 0.1
  c.optimizer.nesterov = True
  c.optimizer.weight_decay = 1e-4
  c.schedule.name = 'step'
  c.schedule.drops = (100 / 3, 200 / 3)
  c.schedule.total_epochs = 90.0
  c.schedule.warmup_epochs = 5.0 if arg['batch'] > 256 else 0.0
  c.ema.decay = 0.0
  return shrink(c) if arg['runlocal'] else c
