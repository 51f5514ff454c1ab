r"""The additive study of ResNet-RS (table 1) where small nets overfit.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/rs_ladder.py

5,000 images of CIFAR-10, a ResNet-20 of half the width. Eleven rungs, each with
all before it, then the full recipe without one at a time, for each of 8 seeds:
the same seed is the same initialisation and the same order of images. Weight
decay follows the rule of `resflax.rules`: rate x decay x steps as published.
"""

# Each run at its rung's length.
EPOCHS, LONG_EPOCHS = 20.0, 80.0
IMAGES, BATCH, RATE = 5000, 64, 0.1
SEEDS = range(8)


def decay(published):
  """Returns the decay that is to the long run what another is to ImageNet."""
  steps = LONG_EPOCHS * IMAGES / BATCH
  return round(published * 1.6 * 109_475 / (RATE * steps), 5)


BASE = {
  'data.train_split': f'train[:{IMAGES}]',
  'data.val_split': 'train[45000:]',
  'batch_size': BATCH,
  'model.width': 0.5,
  'resolution.schedule': 'fixed',
  'schedule.total_epochs': EPOCHS,
  'schedule.name': 'step',
  'optimizer.lr': RATE,
  'optimizer.lr_reference_batch': 0,
  'optimizer.weight_decay': decay(1e-4),
  'ema.decay': 0.0,
  'eval_every_epochs': 20.0,
}
RUNGS = {
  'cosine': {'schedule.name': 'cosine'},
  'longer': {'schedule.total_epochs': LONG_EPOCHS},
  'ema': {'ema.decay': 0.9999},
  'smoothing': {'loss.label_smoothing': 0.1},
  'stochastic_depth': {'model.stochastic_depth_rate': 0.1},
  'randaugment': {
    'augment.randaugment.layers': 2,
    'augment.randaugment.magnitude': 10.0,
  },
  'dropout': {'model.dropout_rate': 0.25},
  'less_decay': {'optimizer.weight_decay': decay(4e-5)},
  'se': {'model.se_ratio': 0.25},
  'resnet_d': {'model.shortcut': 'avg_pool'},
}


def sweep(add):
  """Adds the ladder and the full recipe without each rung, seed by seed."""
  for seed in SEEDS:
    fields = {**BASE, 'seed': seed}
    add('base', **fields)
    for rung, changes in RUNGS.items():
      fields |= changes
      add(rung, **fields)
    for rung, changes in RUNGS.items():
      without = {name: BASE.get(name) for name in changes}
      if rung != 'resnet_d':  # the last rung but one is the recipe without it
        add(f'without_{rung}', **{**fields, **without})
