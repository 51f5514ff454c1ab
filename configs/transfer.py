r"""Transfer by the RS methods (Bello et al. 2021). Not run at full scale.

  python -m scripts.train --config=configs/transfer.py:resnet50,pretrain \
    --workdir=/tmp/pretrained
  python -m scripts.train --workdir=/tmp/mine --config.init.weights=FILE \
    --config=configs/transfer.py:resnet50,data=cifar100

Paper, transfer section: to be compared with SimCLR, nets learn by a subset of
the RS methods: RandAugment, label smoothing, dropout, a lower weight decay and
cosine for 400 epochs, without stochastic depth, average of weights,
squeeze-and-excitation and ResNet-D. That is `pretrain`. How these nets were
trained on their tasks (CIFAR-100, the others being detection, segmentation and
depth) is not known here.

Ours: that fine-tuning goes by the same subset; that its rate, epochs, batch,
crops and new classifier are those of `configs/finetune.py`, which says what
`data` and `resolution` take, with RandAugment in proportion to the image; that
`pretrain` has 224 pixels, and for the rest `resnet_rs.py`: batches of 4,096,
rate 0.1 for 256 images, 5 epochs of warm-up, dropout 0.25, smoothing 0.1, decay
4e-5, two layers of RandAugment, of magnitude 10 up to 160 pixels and 15 above,
which the size of the fine-tuned images, if `resolution` names it, decides too.

Expected: the paper's subset beats SimCLR in 5 and SimCLRv2 in 8 of 10 pairs of
task and model size (table 5, whose figures are not known here). For a net's
features without fine-tuning: `scripts.probe`.
"""

from configs import finetune
from configs.base import imagenet_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(
    arg,
    model='resnet50',
    data='digits',
    resolution=int,
    pretrain=False,
    runlocal=False,
  )
  c = _pretraining(arg) if arg['pretrain'] else _finetuning(arg)
  c.ema.decay = 0.0
  c.loss.label_smoothing = 0.1
  c.model.dropout_rate = 0.25
  c.model.stochastic_depth_rate = 0.0
  c.augment.randaugment.layers = 2
  small = 0 < (c.resolution.train or 0) <= 160
  c.augment.randaugment.magnitude = 10.0 if small else 15.0
  c.optimizer.weight_decay = 4e-5
  c.optimizer.decay_mask = 'all_but_norm'  # as the authors' code
  return shrink(c) if arg['runlocal'] else c


def _finetuning(arg):
  """Every layer, from weights, with a new classifier."""
  c = finetune.get_config(f'{arg["model"]},data={arg["data"]}')
  c.resolution.train = arg['resolution']
  c.augment.randaugment.source = 'scaled'
  return c


def _pretraining(arg):
  """The net whose weights are transferred."""
  c = imagenet_config(batch=4096)
  c.model.variant = arg['model']
  c.resolution.train = arg['resolution']
  c.optimizer.lr = 0.1
  c.optimizer.nesterov = True
  c.schedule.total_epochs = 400.0
  c.schedule.warmup_epochs = 5.0
  return c
