r"""ImageNet, ResNet-RS (Bello et al. 2021). Not run at full scale.

  python -m scripts.train --config=configs/imagenet/resnet_rs.py --workdir=DIR
  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/resnet_rs.py:rs152_i256
  python -m scripts.plan --config=configs/imagenet/resnet_rs.py:macs=12e9

The argument is one of the eleven published models, with every field as
published, or a budget, for which `scaling.rule=resnet_rs` decides (`macs` of an
image, or `latency_ms` of a step of 128 images on a TPU v3 core) and follows
`epochs`. `garden` takes what TF Model Garden does differently: swish and `same`
padding, no Nesterov, decay on kernels alone, RandAugment's translation of a
tenth, and for the named models magnitude 15 for rs101_i160 and epochs of whole
batches (109,200 steps); not its resizing nor its initial values.

SGD with momentum 0.9, learning rate 0.1 for 256 images and linear in the batch
(1.6), 5 epochs of warm-up, cosine, 350 epochs; label smoothing 0.1, dropout,
stochastic depth by stage, RandAugment; average of 0.9999 over weights and
statistics, whose own momentum is 0. Below 250 epochs a budget has no
regulariser; the average stays, for momentum 0 needs it.

Ours: batch norm's groups of 64, for theirs are not published; images resized
and weights drawn as everywhere in this project; the cosine begins after the
warm-up (Model Garden's at step 0). The default splits hold the last 2 % of
train back for validation, as the paper's search did; its final models saw all:
--config.data.train_split=train --config.data.val_split=validation.

Expected top-1 (table 7): rs50_i160 78.8, rs101_i160 80.3, rs101_i192 81.2,
rs152_i192 82.0, rs152_i224 82.8, rs152_i256 83.0, rs200_i256 83.4, rs270_i256
83.8, rs350_i256 84.0, rs350_i320 84.2, rs420_i320 84.4 %.
"""

import re

from configs.base import imagenet_config, shrink
from resflax.arguments import parse_arg
from resflax.errors import UsageError, unknown

# Dropout, stochastic depth and RandAugment's magnitude.
# Source: github.com/tensorflow/tpu, models/official/resnet/resnet_rs/configs.
MODELS = {
  'rs50_i160': (0.25, 0.0, 10.0),
  'rs101_i160': (0.25, 0.0, 10.0),
  'rs101_i192': (0.25, 0.0, 15.0),
  'rs152_i192': (0.25, 0.0, 15.0),
  'rs152_i224': (0.25, 0.0, 15.0),
  'rs152_i256': (0.25, 0.0, 15.0),
  'rs200_i256': (0.25, 0.1, 15.0),
  'rs270_i256': (0.25, 0.1, 15.0),
  'rs350_i256': (0.25, 0.1, 15.0),
  'rs350_i320': (0.4, 0.1, 15.0),
  'rs420_i320': (0.4, 0.1, 15.0),
}


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(
    arg,
    model=str,  # rs50_i160, unless there is a budget
    macs=float,
    latency_ms=float,
    epochs=350.0,
    batch=4096,
    garden=False,
    runlocal=False,
  )
  c = imagenet_config(batch=arg['batch'])

  c.model.norm.momentum = 0.0
  c.ema.decay = 0.9999
  c.optimizer.lr = 0.1
  c.optimizer.momentum = 0.9
  c.schedule.total_epochs = arg['epochs']
  c.schedule.warmup_epochs = 5.0
  _like_the_authors(c, garden=arg['garden'])
  budgets = {k: arg[k] for k in ('macs', 'latency_ms') if arg[k] is not None}
  if budgets:
    if arg['model']:
      raise UsageError(
        f'{arg["model"]} is a published model, and macs or latency_ms are a '
        'budget to find one by: give one of the two (--config=resnet_rs.py:ARG)'
      )
    _by_rule(c, budgets, garden=arg['garden'])
  else:
    _published(c, arg)
  return shrink(c) if arg['runlocal'] else c


def _like_the_authors(c, *, garden):
  """The authors' TPU code, or TF Model Garden where they differ."""
  c.optimizer.nesterov = not garden
  c.optimizer.decay_mask = 'kernels' if garden else 'all_but_norm'
  c.augment.randaugment.source = 'garden' if garden else 'tpu'


def _by_rule(c, budgets, *, garden):
  c.model.variant = 'resnet_rs_50' + ('_garden' if garden else '')
  c.scaling.rule = 'resnet_rs'
  c.scaling.update(budgets)


def _published(c, arg):
  name = arg['model'] or 'rs50_i160'
  if name not in MODELS:
    raise unknown('model', name, MODELS, '--config=resnet_rs.py:MODEL')
  depth, resolution = re.fullmatch(r'rs(\d+)_i(\d+)', name).groups()
  dropout, stochastic_depth, magnitude = MODELS[name]
  if arg['garden']:
    if name == 'rs101_i160':
      magnitude = 15.0
    whole = 1_281_167 // c.batch_size  # batches of an epoch
    total, warmup = round(arg['epochs'] * whole), 5 * whole
    c.schedule.update(total_epochs=None, warmup_epochs=None)
    c.schedule.update(total_steps=total, warmup_steps=warmup)
  c.model.variant = f'resnet_rs_{depth}' + ('_garden' if arg['garden'] else '')
  c.model.dropout_rate = dropout
  c.model.stochastic_depth_rate = stochastic_depth
  c.resolution.train = int(resolution)
  c.augment.randaugment.update(layers=2, magnitude=magnitude)
  c.loss.label_smoothing = 0.1
  c.optimizer.weight_decay = 4e-5
