r"""The additive study of ResNet-RS (table 1) where a small net overfits.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/rs_ladder.py

1,000 images of CIFAR-10 at 16 pixels, a ResNet-20 of half the width. Eleven
rungs, each with all before it, then the full recipe without one at a time, for
each of 8 seeds: an equal seed is an equal initialisation and order of images.
Lengths are to each other as the paper's 90 and 350 epochs, and so are the two
decays. For a net of 70,000 parameters the regularisers are weaker than the
paper's: RandAugment of one layer and magnitude 5 was the best of four on
validation with another seed, and two layers of 10 cost 12 points with 2,000
images.
"""

EPOCHS, LONG_EPOCHS = 50.0, 200.0
DECAY, LESS_DECAY = 2e-3, 8e-4
SEEDS = range(8)

BASE = {
  'data.train_split': 'train[:1000]',
  'data.val_split': 'train[45000:]',
  'batch_size': 64,
  'model.width': 0.5,
  'resolution.schedule': 'fixed',
  'resolution.train': 16,
  'schedule.total_epochs': EPOCHS,
  'schedule.name': 'step',
  'optimizer.lr': 0.1,
  'optimizer.lr_reference_batch': 0,
  'optimizer.weight_decay': DECAY,
  'ema.decay': 0.0,
  'eval_every_epochs': EPOCHS,
}
# Points of top-1 on ImageNet. Source: Bello et al. 2021, table 1.
PAPER = {
  'cosine': 0.3,
  'longer': -0.5,
  'ema': 0.3,
  'smoothing': 1.3,
  'stochastic_depth': 0.2,
  'randaugment': 0.4,
  'dropout': -0.3,
  'less_decay': 1.5,
  'se': 0.7,
  'resnet_d': 0.5,
}
RUNGS = {
  'cosine': {'schedule.name': 'cosine'},
  'longer': {'schedule.total_epochs': LONG_EPOCHS},
  'ema': {'ema.decay': 0.9999},
  'smoothing': {'loss.label_smoothing': 0.1},
  'stochastic_depth': {'model.stochastic_depth_rate': 0.1},
  'randaugment': {
    'augment.randaugment.layers': 1,
    'augment.randaugment.magnitude': 5.0,
    'augment.randaugment.source': 'scaled',
  },
  'dropout': {'model.dropout_rate': 0.1},
  'less_decay': {'optimizer.weight_decay': LESS_DECAY},
  'se': {'model.se_ratio': 0.25},
  'resnet_d': {'model.shortcut': 'avg_pool'},
}


def sweep(add):
  """Adds the ladder and the full recipe without each rung, seed by seed."""
  for seed in SEEDS:
    fields = {**BASE, 'seed': seed}
    add('base', **fields)
    before = 'base'
    for rung, changes in RUNGS.items():
      fields |= changes
      add(rung, against=before, published=PAPER[rung], **fields)
      before = rung
    for rung, changes in list(RUNGS.items())[:-1]:  # the last is the one above
      kept = {k: v for k, v in fields.items() if k not in changes}
      base = {k: v for k, v in BASE.items() if k in changes}
      add(f'without_{rung}', against='resnet_d', **kept, **base)
