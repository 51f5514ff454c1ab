r"""Deeper or wider, where images repeat and where they do not.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/repetition_and_shape.py
  python -m scripts.fit --workdir=DIR --train_loss

Bello et al. 2021, section 4.2: depth pays where a run overfits, width where it
does not. Two nets of nearly equal MACs, a ResNet-44 of half the width and a
ResNet-20 of three quarters of it, see 250,000 images: 5,000 of them 50 times,
or 45,000 nearly six times. So repetition is told apart from length. At 16
pixels, to suit two CPU cores.

The rate is one for all, the best of five on validation with another seed, on
the mean of the four (docs/results/scaling.md).
"""

from resflax.sweeps.grid import product

SEEDS = range(8)
EXAMPLES = 250_000
BASE = {
  'data.val_split': 'train[45000:]',
  'resolution.schedule': 'fixed',
  'resolution.train': 16,
  'schedule.total_epochs': None,
  'schedule.total_examples': EXAMPLES,
  'schedule.warmup_epochs': None,
  'schedule.warmup_percent': 5.0,
  'eval_every_epochs': None,
  'eval_every_examples': EXAMPLES,
  'optimizer.lr': 0.4,
}
DATA = {'repeated': 'train[:5000]', 'fresh': 'train[:45000]'}
SHAPES = {'deep': ('resnet44', 0.5), 'wide': ('resnet20', 0.75)}


def sweep(add):
  """Adds both nets on both sets of images for each seed."""
  for arm in product(seed=SEEDS, data=DATA, shape=SHAPES):
    variant, width = SHAPES[arm['shape']]
    add(
      f'{arm["data"]}_{arm["shape"]}',
      against=f'{arm["data"]}_deep' if arm['shape'] == 'wide' else '',
      config_arg=variant,
      **BASE,
      **{
        'data.train_split': DATA[arm['data']],
        'model.width': width,
        'seed': arm['seed'],
      },
    )
