"""Training steps on an accelerator, beside what it can do at best.

The ceilings are measured in the same run: a copy for memory, a product of two
large matrices for arithmetic.
"""

import functools
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from resflax.aot import counts
from resflax.aot.estimate import forward_flops
from resflax.benchmarks import timm_peer
from resflax.benchmarks.measure import Row, interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper
from resflax.errors import UsageError
from resflax.training.setup import Setup

# (variant, resolution, batch): what fits into 80 GB.
NETS = (
  *(('resnet50', 224, 256), ('resnext50_32x4d', 224, 256)),
  *(('resnet_rs_50', 160, 256), ('resnet_rs_152', 256, 128)),
  ('resnet_rs_420', 320, 32),
)
CALLS = 10  # a timing


def run(*, quick: bool) -> Iterator[Row]:
  """Measures images a second and how much of the chip they use.

  Raises:
    UsageError: JAX sees no GPU.
  """
  check_gpu()
  ceilings = measure_ceilings(side=8192, length=2**30)
  yield Row('copy', ceilings['bytes'] / 1e9, 'GB/s')
  yield Row('matrix product, bfloat16', ceilings['flops'] / 1e12, 'TFLOP/s')
  for variant, resolution, batch_size in NETS[:1] if quick else NETS:
    setup = make_setup(
      variant,
      resolution=resolution,
      batch_size=batch_size,
      precision='bfloat16',
    )
    yield from measure_net(setup, ceilings, repeats=3 if quick else 5)


def check_gpu() -> None:
  """Refuses to go on without a GPU.

  Raises:
    UsageError: JAX sees none.
  """
  if jax.default_backend() != 'gpu':
    raise UsageError(
      f'--device=gpu: JAX runs on {jax.default_backend()} here. Install a '
      "build for GPUs: pip install -e '.[cuda]'."
    )


def measure_ceilings(*, side: int, length: int) -> dict[str, float]:
  """Returns `bytes` and `flops` a second that the device reaches at best.

  Args:
    side: of the matrices.
    length: of the vector that is copied, in bfloat16.
  """
  vector = jnp.zeros(length, jnp.bfloat16)
  matrix = jnp.ones((side, side), jnp.bfloat16)
  programs = {
    'bytes': functools.partial(jax.jit(lambda x: x + 1), vector),
    'flops': functools.partial(jax.jit(jnp.matmul), matrix, matrix),
  }
  times = interleave(
    {name: calls(program) for name, program in programs.items()}, repeats=5
  )
  work = {'bytes': 2 * vector.nbytes, 'flops': 2 * side**3}
  return {n: CALLS * work[n] / min(times[n].wall) for n in programs}


def measure_net(
  setup: Setup, ceilings: dict[str, float], *, repeats: int
) -> Iterator[Row]:
  """Measures one net, and timm's where it is installed."""
  variant = setup.resolved['model.variant']
  resolution = setup.stages[0].resolution
  batch_size = setup.resolved['batch_size']
  program = setup.lower_train(resolution).compile()
  counted = counts.count(program.as_text())
  batch = random_batch(setup, resolution)
  steps = {'ours': stepper(program, setup.initial_state(), batch)}
  if timm_peer.is_here():
    steps['timm'] = timm_peer.stepper(
      variant, resolution=resolution, batch_size=batch_size, gpu=True
    )
  times = interleave(
    {name: calls(step) for name, step in steps.items()}, repeats=repeats
  )
  seconds = {name: t.wall_s / CALLS for name, t in times.items()}
  what = f'{variant} at {resolution}, batch {batch_size}'
  ours = batch_size / seconds['ours']
  yield Row(what, ours, 'images/s')
  if 'timm' in seconds:
    theirs = batch_size / seconds['timm']
    yield Row(f'{what}, timm', theirs, 'images/s', ours / theirs, 'ours to it')
  rates = {
    'flops': 3 * forward_flops(setup, resolution) * ours,
    'bytes': counted.bytes / seconds['ours'],
  }
  for name, ceiling in ceilings.items():
    rate = rates[name]
    yield Row(
      *(f'{what}: {name}', rate / 1e12, f'T{name}/s'),
      *(rate / ceiling, 'the ceiling'),
    )


def calls(program: Callable) -> Callable[[], object]:
  """Returns that program, run `CALLS` times."""

  def several():
    for _ in range(CALLS):
      result = program()
    return result

  return several
