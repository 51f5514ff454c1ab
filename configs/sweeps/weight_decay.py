r"""ResNet-RS, table 2: less weight decay beside more regularisers.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/weight_decay.py

The net and the data of `rs_ladder.py`, at its long schedule: no regulariser;
RandAugment and label smoothing; and dropout and stochastic depth beside them.
Each with more decay and less of it, 5 to 2, twice: at the paper's rate x decay
x steps (1e-4 and 4e-5 at a peak of 1.6 over 109,475 steps are 17.5 and 7.0),
and at that of the ladder, for the paper's is much in 3,125 steps.
"""

from configs.sweeps.rs_ladder import (
  BASE,
  DECAY,
  LESS_DECAY,
  LONG_EPOCHS,
  RUNGS,
  SEEDS,
)

STEPS = LONG_EPOCHS * 1000 / BASE['batch_size']
LONG = {**RUNGS['cosine'], 'schedule.total_epochs': LONG_EPOCHS, **RUNGS['ema']}
SOME = {**RUNGS['smoothing'], **RUNGS['randaugment']}
SETS = {
  'none': {},
  'some': SOME,
  'all': {**SOME, **RUNGS['stochastic_depth'], **RUNGS['dropout']},
}
# What less decay gave the ResNet-200, in points of top-1 on ImageNet.
PAPER = {'none': -0.8, 'some': -0.3, 'all': 0.2}
DECAYS = {
  'paper': tuple(x / (BASE['optimizer.lr'] * STEPS) for x in (17.5, 7.0)),
  'ladder': (DECAY, LESS_DECAY),
}


def sweep(add):
  """Adds both decays of each set and product, seed by seed."""
  for seed in SEEDS:
    for product, (more, less) in DECAYS.items():
      for name, fields in SETS.items():
        label = f'{name}_{product}'
        common = {**BASE, **LONG, **fields, 'seed': seed}
        add(f'{label}_more', **common | {'optimizer.weight_decay': more})
        add(
          f'{label}_less',
          against=f'{label}_more',
          published=PAPER[name],
          **common | {'optimizer.weight_decay': less},
        )
