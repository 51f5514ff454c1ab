"""Training steps of whole networks on the device at hand."""

from collections.abc import Iterator

from resflax.benchmarks import timm_peer
from resflax.benchmarks.measure import Row, interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper

BATCH = 4
# Its last stage has 2x2 pixels.
SMALL = {'variant': 'resnet18', 'width': 0.25, 'resolution': 48}
SMALL_BATCH = 64

NETS = {
  'ResNet-50, nn.Conv': ('resnet50', 'xla'),
  'ResNet-50': ('resnet50', 'auto'),
  'ResNeXt-50 32x4d': ('resnext50_32x4d', 'auto'),
}
TIMM = 'ResNet-50 in timm, channels last'


def run(*, quick: bool) -> Iterator[Row]:
  """Compares forms of the convolution, ResNeXt with ResNet, ours with timm."""
  for resolution in (112,) if quick else (112, 224):
    programs = {
      name: _step(variant, resolution, BATCH, conv=conv)
      for name, (variant, conv) in NETS.items()
    }
    if timm_peer.is_here():
      programs[TIMM] = timm_peer.stepper(
        'resnet50', resolution=resolution, batch_size=BATCH, gpu=False
      )
    times = interleave(programs, repeats=3 if quick else 7)
    seconds = {name: t.cpu_s for name, t in times.items()}
    plain, ours, grouped = (seconds[name] for name in NETS)
    at = f'{resolution} px, batch {BATCH}'
    yield Row(f'ResNet-50 as nn.Conv, {at}', plain, 'CPU-s')
    yield Row(
      f'ResNet-50, {at}', ours, 'CPU-s', ours / plain, 'nn.Conv', '<= 0.82'
    )
    yield Row(
      *(f'ResNeXt-50, {at}', grouped, 'CPU-s', grouped / ours),
      *('ResNet-50', '<= 1.35'),
    )
    if TIMM in seconds:
      theirs = seconds[TIMM]
      yield Row(f'{TIMM}, {at}', theirs, 'CPU-s', ours / theirs, 'ours to it')
  yield from _small(repeats=3 if quick else 7)


def _small(*, repeats: int) -> Iterator[Row]:
  """Compares forms where the image is smaller than the kernel at the end."""
  forms = {'nn.Conv': 'xla', 'ours': 'auto'}
  times = interleave(
    {
      name: _step(batch_size=SMALL_BATCH, conv=conv, **SMALL)
      for name, conv in forms.items()
    },
    repeats=repeats,
  )
  plain, ours = (times[name].cpu_s for name in forms)
  at = f'{SMALL["resolution"]} px, batch {SMALL_BATCH}'
  yield Row(f'ResNet-18 of width 0.25 as nn.Conv, {at}', plain, 'CPU-s')
  yield Row(
    *(f'ResNet-18 of width 0.25, {at}', ours, 'CPU-s', ours / plain),
    'nn.Conv',
  )


def _step(variant: str, resolution: int, batch_size: int, **fields):
  setup = make_setup(
    variant, resolution=resolution, batch_size=batch_size, **fields
  )
  state = setup.initial_state()
  program = setup.lower_train(resolution).compile()
  return stepper(program, state, random_batch(setup, resolution))
