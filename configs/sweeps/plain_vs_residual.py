r"""What residual connections buy: plain and residual nets of two depths.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/plain_vs_residual.py
  python -m scripts.report DIR --figures

He et al. 2016, figures 1 and 6: the deeper plain net is worse in training as
well as in testing, the deeper residual net is better. The nets of 20 and 56
layers on CIFAR-10, of half the width and at 16 pixels to suit two CPU cores.
The gradient of each stage is logged.
"""

SEEDS = range(3)
BASE = {
  'model.width': 0.5,
  'resolution.schedule': 'fixed',
  'resolution.train': 16,
  'schedule.total_epochs': 8.0,
  'ema.decay': 0.0,
  'log_gradient_norms': True,
}


def sweep(add):
  """Adds each net for each seed."""
  for seed in SEEDS:
    for layers in (20, 56):
      for kind, shortcut in (('plain', 'none'), ('residual', 'zero_pad')):
        add(
          f'{kind}{layers}',
          against=f'{kind}20' if layers == 56 else '',
          config_arg=f'resnet{layers}',
          **BASE,
          **{'model.shortcut': shortcut, 'seed': seed},
        )
