r"""Where compute goes: width, depth and resolution, each grown alone.

  python -m scripts.prepare_data --dataset=cifar10
  python -m scripts.sweep --config=configs/cifar10.py --workdir=DIR --jobs=2 \
    --sweep=configs/sweeps/compute_ladder.py
  python -m scripts.fit --workdir=DIR --decades=1.1

ResNet-20 of a quarter of the width at 16 pixels, and from there a family along
each axis; four nets that grow along all of them join their ends. 21 designs
over 3.4 decades of compute, each at the end of its own cosine. The families of
depth and of resolution span 1.2 to 1.3, hence `--decades`.
"""

SEEDS = range(3)
WIDTH, BLOCKS, RESOLUTION = 0.25, 3, 16
WIDTHS = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5)
DEPTHS = (1, 2, 3, 5, 9, 18)  # blocks a stage: 8 to 110 layers
RESOLUTIONS = (8, 12, 16, 20, 24, 32)
TOGETHER = ((0.125, 1, 8), (0.125, 2, 12), (0.5, 5, 24), (0.75, 9, 24))
SHAPES = dict.fromkeys(
  [
    *((width, BLOCKS, RESOLUTION) for width in WIDTHS),
    *((WIDTH, blocks, RESOLUTION) for blocks in DEPTHS),
    *((WIDTH, BLOCKS, resolution) for resolution in RESOLUTIONS),
    *TOGETHER,
  ]
)


def sweep(add):
  """Adds each shape for each seed, the cheap ones first."""
  for seed in SEEDS:
    for width, blocks, resolution in sorted(SHAPES, key=_cost):
      add(
        f'w{width:g}_b{blocks}_r{resolution}',
        **{
          'model.width': width,
          'model.depths': (blocks,) * 3,
          'resolution.schedule': 'fixed',
          'resolution.train': resolution,
          'eval_every_epochs': 4.0,
          'seed': seed,
        },
      )


def _cost(shape):
  width, blocks, resolution = shape
  return width**2 * blocks * resolution**2
