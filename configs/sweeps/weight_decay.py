r"""ResNet-RS, table 2: less weight decay beside more regularisers.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/weight_decay.py

The net, the data and the two decays of `rs_ladder.py`, at its long schedule: no
regulariser; RandAugment and label smoothing; and dropout and stochastic depth
beside them. Rate x decay x steps is that of the same decay everywhere, for all
runs are equally long.
"""

from configs.sweeps.rs_ladder import (
  BASE,
  DECAY,
  LESS_DECAY,
  LONG_EPOCHS,
  RUNGS,
  SEEDS,
)

LONG = {**RUNGS['cosine'], 'schedule.total_epochs': LONG_EPOCHS, **RUNGS['ema']}
SOME = {**RUNGS['smoothing'], **RUNGS['randaugment']}
SETS = {
  'none': {},
  'some': SOME,
  'all': {**SOME, **RUNGS['stochastic_depth'], **RUNGS['dropout']},
}


def sweep(add):
  """Adds both decays of each set for each seed."""
  for seed in SEEDS:
    for name, fields in SETS.items():
      common = {**BASE, **LONG, **fields, 'seed': seed}
      add(f'{name}_more', **{**common, 'optimizer.weight_decay': DECAY})
      add(
        f'{name}_less',
        against=f'{name}_more',
        **{**common, 'optimizer.weight_decay': LESS_DECAY},
      )
