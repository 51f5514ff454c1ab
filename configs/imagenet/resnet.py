r"""ImageNet in 90 epochs, after flax's example. Not run at full scale.

  python -m scripts.train --config=configs/imagenet/resnet.py --workdir=DIR
  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/resnet.py:resnet50_d,batch=4096

SGD with Nesterov momentum 0.9 and cosine (as flax's ImageNet example), learning
rate 0.1 for 256 images and linear in the batch, 5 epochs of warm-up (Goyal et
al. 2017, who take steps in place of the cosine), weight decay 1e-4 on kernels,
random resized crops of 224 pixels and flips.

Expected, for ResNet-50: somewhat below the 76.5 % top-1 of flax's example,
which trains 100 epochs (its README, TPU v3-32); TF Model Garden has 76.1 % with
steps in place of the cosine (MODEL_GARDEN.md, 90 epochs).
"""

from configs.base import imagenet_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(arg, variant='resnet50', batch=1024, runlocal=False)
  c = imagenet_config(batch=arg['batch'])

  c.model.variant = arg['variant']

  c.resolution.train = 224

  c.optimizer.lr = 0.1
  c.optimizer.nesterov = True
  c.optimizer.weight_decay = 1e-4
  c.schedule.total_epochs = 90.0
  c.schedule.warmup_epochs = 5.0
  c.ema.decay = 0.0
  return shrink(c) if arg['runlocal'] else c
