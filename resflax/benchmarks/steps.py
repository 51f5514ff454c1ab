"""Training steps of whole networks on the device at hand."""

from collections.abc import Iterator

from resflax.benchmarks.measure import Row, interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper

BATCH = 4


def run(*, quick: bool) -> Iterator[Row]:
  """Compares forms of the convolution, and ResNeXt with ResNet."""
  for resolution in (112,) if quick else (112, 224):
    nets = {
      'ResNet-50, nn.Conv': ('resnet50', 'xla'),
      'ResNet-50': ('resnet50', 'auto'),
      'ResNeXt-50 32x4d': ('resnext50_32x4d', 'auto'),
    }
    times = interleave(
      {
        name: _step(variant, resolution, conv)
        for name, (variant, conv) in nets.items()
      },
      repeats=3 if quick else 7,
    )
    plain, ours, grouped = (times[name].cpu_s for name in nets)
    at = f'{resolution} px, batch {BATCH}'
    yield from [
      Row(f'ResNet-50 as nn.Conv, {at}', plain, 'CPU-s'),
      Row(
        f'ResNet-50, {at}', ours, 'CPU-s', ours / plain, 'nn.Conv', '<= 0.82'
      ),
      Row(
        f'ResNeXt-50, {at}',
        grouped,
        'CPU-s',
        grouped / ours,
        'ResNet-50',
        '<= 1.35',
      ),
    ]


def _step(variant: str, resolution: int, conv: str):
  setup = make_setup(
    variant, resolution=resolution, batch_size=BATCH, conv=conv
  )
  state = setup.initial_state()
  program = setup.lower_train(resolution).compile()
  return stepper(program, state, random_batch(setup, resolution))
