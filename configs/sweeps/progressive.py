r"""Whether a rising resolution pays: against equal epochs and equal time.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/progressive.py

CIFAR-10 at its own 32 pixels throughout, from 16 pixels up, and at 32 pixels
for as many epochs as take the time of the rising run. A ResNet-20 of half the
width; an equal seed is an equal initialisation and order of images. The last
stage is 30 % of the run, for the average of weights has to forget the sizes
before it.
"""

EPOCHS, SHORT_EPOCHS = 6.0, 3.75
SEEDS = range(8)
BASE = {'model.width': 0.5, 'eval_every_epochs': 2.0}
ARMS = {
  'fixed': {'resolution.schedule': 'fixed', 'schedule.total_epochs': EPOCHS},
  'progressive': {
    'resolution.schedule': 'custom',
    'resolution.custom': (0.0, 16.0, 40.0, 24.0, 70.0, 32.0),
    'schedule.total_epochs': EPOCHS,
  },
  'fixed_equal_time': {
    'resolution.schedule': 'fixed',
    'schedule.total_epochs': SHORT_EPOCHS,
  },
}


def sweep(add):
  """Adds the three arms for each seed."""
  for seed in SEEDS:
    for label, fields in ARMS.items():
      against = '' if label == 'progressive' else 'progressive'
      add(label, against=against, **BASE, **fields, seed=seed)
