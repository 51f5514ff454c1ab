r"""ImageNet, Bag of Tricks (He et al. 2019). Not run at full scale.

  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/bag_of_tricks.py
  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/bag_of_tricks.py:smoothing

The argument is a rung of the paper's tables 5 and 6, each with all above it;
`d` is ResNet-50-D:

| rung | what is added | top-1, % |
|---|---|---|
| base | ResNet-50, rate over 10 at epochs 30, 60 and 90 of 120 | 76.21 |
| b | stride on the 3x3 | 76.66 |
| c | three 3x3 for the 7x7 | 76.87 |
| d | average pooling in the shortcut | 77.16 |
| cosine | cosine in place of steps | 77.91 |
| smoothing | label smoothing 0.1 | 78.31 |
| mixup | mixup 0.2, 200 epochs | 79.15 |

With a teacher beside it (ResNet-152-D of the same recipe, temperature 20) the
paper reports 79.29: --config.distill.teacher=DIR.

SGD with Nesterov momentum 0.9, learning rate 0.1 for 256 images and linear in
the batch, 5 epochs of warm-up, weight decay 1e-4 on kernels alone, colour
jitter of 0.4 and PCA lighting of 0.1, batch 1024 in half precision (section 3).
Kernels start as He et al. 2015 have it, where the paper takes Xavier's.
"""

from configs.base import imagenet_config, shrink
from resflax.arguments import parse_arg
from resflax.errors import unknown

RUNGS = ('base', 'b', 'c', 'd', 'cosine', 'smoothing', 'mixup')
VARIANTS = ('resnet50_v1', 'resnet50', 'resnet50_c', 'resnet50_d')


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(arg, rung='mixup', batch=1024, runlocal=False)
  if arg['rung'] not in RUNGS:
    raise unknown('rung', arg['rung'], RUNGS, '--config=bag_of_tricks.py:RUNG')
  rung = RUNGS.index(arg['rung'])
  c = imagenet_config(batch=arg['batch'])
  c.model.variant = VARIANTS[min(rung, 3)]
  c.resolution.train = 224
  c.augment.color_jitter = 0.4
  c.augment.lighting = 0.1

  c.optimizer.lr = 0.1
  c.optimizer.nesterov = True
  c.optimizer.weight_decay = 1e-4
  c.schedule.total_epochs = 120.0
  c.schedule.warmup_epochs = 5.0
  c.schedule.name = 'step'
  c.schedule.drops = (25.0, 50.0, 75.0)
  c.ema.decay = 0.0
  if rung >= RUNGS.index('cosine'):
    c.schedule.name = 'cosine'
  if rung >= RUNGS.index('smoothing'):
    c.loss.label_smoothing = 0.1
  if rung >= RUNGS.index('mixup'):
    c.augment.mixup = 0.2
    c.schedule.total_epochs = 200.0
  return shrink(c) if arg['runlocal'] else c
