"""ResNet-50's step on the TPU compiler: ours beside Flax's example.

Estimates all: cycles of the compiler's cost model; needs libtpu and no TPU.
"""

from collections.abc import Iterator

import jax.numpy as jnp

from resflax.aot import hlo
from resflax.aot.chips import devices_of
from resflax.benchmarks.flax_example import FlaxExample
from resflax.benchmarks.measure import Row
from resflax.benchmarks.nets import make_setup
from resflax.parallel import mesh as meshes

TOPOLOGY = 'v5e:2x2'
RESOLUTION = 224


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles both for four chips, 128 images each (quick: 16)."""
  devices = devices_of(TOPOLOGY)
  batch_size = (16 if quick else 128) * len(devices)
  baseline = FlaxExample(
    meshes.make_mesh(devices), batch_size=batch_size, dtype=jnp.bfloat16
  )
  setup = make_setup(
    'resnet50',
    resolution=RESOLUTION,
    batch_size=batch_size,
    precision='bfloat16',
    devices=devices,
  )
  theirs = _counted(baseline.lower(RESOLUTION))
  ours = _counted(setup.lower_train(RESOLUTION))
  for what, bar in (
    ('Mcycles', '<= 1'),
    ('GB moved', '<= 1'),
    ('GiB at the peak', '<= 1'),
    ('all-reduces', '<= 3 in all'),
  ):
    yield Row(f"Flax's example: {what}", theirs[what], 'estimated')
    yield Row(
      *(f'ours: {what}', ours[what], 'estimated'),
      *(ours[what] / theirs[what], "Flax's example", bar),
    )


def _counted(lowered) -> dict[str, float]:
  compiled = lowered.compile()
  counts = hlo.count(compiled.as_text())
  memory = compiled.memory_analysis()
  return {
    'Mcycles': counts.cycles / 1e6,
    'GB moved': counts.bytes / 1e9,
    'GiB at the peak': memory.peak_memory_in_bytes / 2**30,
    'all-reduces': counts.collectives.get('all-reduce', 0),
  }
