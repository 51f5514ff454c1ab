r"""The learning rate of the digits times 0.5, 1 and 2, three seeds each.

  python -m scripts.sweep --config=configs/digits.py --workdir=DIR \
    --sweep=configs/sweeps/learning_rate.py
"""

from resflax.sweeps.grid import product


def sweep(add):
  """Adds the runs."""
  for fields in product(lr=(0.05, 0.1, 0.2), seed=(0, 1, 2)):
    add(
      f'lr{fields["lr"]:g}',
      against='lr0.1' if fields['lr'] != 0.1 else '',
      **{'optimizer.lr': fields['lr'], 'seed': fields['seed']},
    )
