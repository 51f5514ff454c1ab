r"""What trained weights are worth: fine-tuned against trained from scratch.

  python -m scripts.sweep --workdir=DIR --jobs=2 \
    --config=configs/finetune.py:resnet20_cifar,data=FOLDER,resolution=32 \
    --config.init.weights=FILE --sweep=configs/sweeps/finetune.py

Both nets see the same pictures in the same order for as many epochs; the rate
of each is the best of those in `RATES` on validation with another seed.
"""

RATES = {'scratch': (0.1, 0.3, 1.0, 3.0), 'finetune': (0.03, 0.1, 0.3, 1.0)}
CHOSEN = {'scratch': 1.0, 'finetune': 0.3}
SEEDS = range(6)
FROM = {
  'scratch': {'init.weights': None, 'init.reset_head': False},
  'finetune': {},
}


def sweep(add):
  """Adds the search of the rates, and both nets at the chosen one."""
  for name, rates in RATES.items():
    for rate in rates:
      add(
        f'{name}_{rate:g}_search',
        **{**FROM[name], 'optimizer.lr': rate, 'seed': 100},
      )
  for seed in SEEDS:
    for name, fields in FROM.items():
      add(
        name,
        against='' if name == 'scratch' else 'scratch',
        **{**fields, 'optimizer.lr': CHOSEN[name], 'seed': seed},
      )
