r"""The grid behind ResNet-RS: depth, width and resolution, three lengths.

  python -m scripts.sweep --config=configs/imagenet/resnet_rs.py --workdir=DIR \
    --sweep=configs/sweeps/rs_grid.py --dry_run

Bello et al. 2021, section 4 and appendix B: 7 depths, 5 widths, 5 resolutions,
for 10, 100 and 350 epochs. 525 runs on ImageNet; not run here. Up to 100 epochs
nothing but flip and crop, with a decay of 4e-5; at 350 the regularisers of the
models, dropout by the width (table 12).

Ours: stochastic depth from 200 layers on and the magnitude by the resolution,
as the published models have them; the paper does not say what the grid had.
"""

from resflax.sweeps.grid import product

DEPTHS = (26, 50, 101, 200, 300, 350, 400)
DROPOUT = {0.25: 0.0, 0.5: 0.1, 1.0: 0.25, 1.5: 0.6, 2.0: 0.75}  # by width
RESOLUTIONS = (128, 160, 224, 320, 448)
EPOCHS = (10.0, 100.0, 350.0)
LONG = 350.0
PLAIN = {
  'loss.label_smoothing': 0.0,
  'augment.randaugment.layers': 0,
  'model.dropout_rate': 0.0,
  'model.stochastic_depth_rate': 0.0,
}


def sweep(add):
  """Adds every combination, the short runs first."""
  for run in product(
    epochs=EPOCHS, depth=DEPTHS, width=DROPOUT, resolution=RESOLUTIONS
  ):
    depth, width, resolution = run['depth'], run['width'], run['resolution']
    regularisers = PLAIN if run['epochs'] < LONG else _of_the_models(**run)
    add(
      f'd{depth}_w{width:g}_r{resolution}_e{run["epochs"]:g}',
      **{
        'model.variant': f'resnet_rs_{depth}',
        'model.width': width,
        'resolution.train': resolution,
        'schedule.total_epochs': run['epochs'],
        'optimizer.weight_decay': 4e-5,
        **regularisers,
      },
    )


def _of_the_models(*, depth, width, resolution, epochs):
  del epochs
  return {
    'loss.label_smoothing': 0.1,
    'augment.randaugment.layers': 2,
    'augment.randaugment.magnitude': 10.0 if resolution <= 160 else 15.0,
    'model.dropout_rate': DROPOUT[width],
    'model.stochastic_depth_rate': 0.1 if depth >= 200 else 0.0,
  }
