r"""Fine-tuning: a trained net with a new classifier for your own pictures.

  python -m scripts.train --workdir=/tmp/mine --config.init.weights=FILE \
    --config=configs/finetune.py:resnet50,data=DIR
  python -m scripts.train --workdir=/tmp/fixres --config.init.weights=FILE \
    --config=configs/finetune.py:resnet50,data=imagenet2012,resolution=288,fixres

FILE comes from `scripts.convert`, `scripts.export` or another library, or is
`hub:REPO`. What it says of the net, of mean and deviation and of the resolution
holds unless you set it. `data` is a folder of class folders or a TFDS name.

Layers near the pictures know what most pictures share. With `decay=0.5` each
stage learns half as fast as the one above it; `freeze=2` leaves the stem and
two stages at rest. The classifier starts from zeros (Kolesnikov et al. 2020).
Nesterov momentum and cosine are as in Kornblith et al. 2019, appendix A.5, who
search the rate from 1e-4 to 0.1; 0.01 for 256 and 20 epochs are ours.

`fixres` keeps the classifier and trains it alone, with the last batch norm, on
pictures cut and sized as in the test, the whole centre square (Touvron et al.
2019, section 4.2; rate 1e-3 for a batch of 512 and 56 epochs for a ResNet-50 at
384, their repository).
"""

import os

from configs.base import base_config, shrink
from resflax.arguments import parse_arg
from resflax.efficientnets import depths_of
from resflax.errors import UsageError
from resflax.variants import variant


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(
    arg,
    model='resnet50',
    data='digits',
    resolution=int,
    freeze=int,
    decay=1.0,
    fixres=False,
    runlocal=False,
  )
  if arg['fixres'] and (arg['freeze'] is not None or arg['decay'] != 1):
    raise UsageError(
      'fixres trains the classifier and the last batch norm alone, so freeze '
      'and decay do nothing: leave them out (--config=finetune.py:ARG).'
    )
  c = base_config()
  folder = os.path.isdir(os.path.expanduser(arg['data']))
  c.data.name = f'folder:{arg["data"]}' if folder else arg['data']
  c.model.variant = arg['model']
  c.resolution.train = arg['resolution']
  c.optimizer.nesterov = True
  c.ema.decay = 0.999
  (_fixres if arg['fixres'] else _transfer)(c, arg)
  return shrink(c) if arg['runlocal'] else c


def _transfer(c, arg):
  """All layers, or the upper ones, on as many pictures as there are."""
  c.batch_size = 64
  c.init.reset_head = True
  c.augment.area = (0.25, 1.0)
  c.optimizer.lr = 0.01
  c.schedule.total_epochs = 20.0
  c.schedule.warmup_epochs = 1.0
  stages = len(variant(arg['model'])['depths'] or depths_of(arg['model']))
  resting = _resting(arg['freeze'], stages)
  parts = ['stem', *(f'stage{number}' for number in range(1, stages + 1))]
  factors = [
    0.0 if below < resting else arg['decay'] ** (stages + 1 - below)
    for below in range(stages + 1)
  ]
  c.optimizer.lr_factors = tuple(
    f'{part}={factor:g}'
    for part, factor in zip(parts, factors, strict=True)
    if factor != 1
  )


def _resting(freeze, stages):
  """Parts at rest: the stem and `freeze` stages, or none."""
  if freeze is None:
    return 0
  if not 0 <= freeze <= stages:
    raise UsageError(
      f'freeze={freeze} is to be from 0, the stem alone, to {stages}, all '
      'stages too (--config=finetune.py:ARG).'
    )
  return freeze + 1


def _fixres(c, arg):
  """The classifier and the last batch norm, for another resolution."""
  c.batch_size = 512
  c.augment.crop = 'none'
  c.resolution.test_crop = 1.0
  c.optimizer.lr = 1e-3
  c.optimizer.lr_reference_batch = 512
  c.schedule.total_epochs = 56.0
  row = variant(arg['model'])
  if row['depths']:
    stage, block = len(row['depths']), row['depths'][-1]
    last = 'conv2' if row['branch'] == 'basic' else 'conv3'
    norm = f'stage{stage}/block{block}/branch/{last}/norm=1'
  else:  # an EfficientNet
    norm = 'top/conv1/norm=1'
  c.optimizer.lr_factors = ('head=1', norm, '.*=0')
