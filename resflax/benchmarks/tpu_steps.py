"""ResNet-50's step on the TPU compiler: ours beside Flax's example.

Estimates all: cycles of the compiler's cost model; needs libtpu and no TPU.
"""

from collections.abc import Iterator

import jax.numpy as jnp

from resflax.aot import counts
from resflax.aot.chips import devices_of
from resflax.benchmarks.flax_example import FlaxExample
from resflax.benchmarks.measure import Row
from resflax.benchmarks.nets import make_setup
from resflax.parallel import mesh as meshes

TOPOLOGY = 'v5e:2x2'
RESOLUTION = 224


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles the steps for four chips, 128 images each (quick: 16)."""
  devices = devices_of(TOPOLOGY)
  images = 16 if quick else 128
  baseline = FlaxExample(
    meshes.make_mesh(devices),
    batch_size=images * len(devices),
    dtype=jnp.bfloat16,
  )
  theirs = _counted(baseline.lower(RESOLUTION))
  for what, value in theirs.items():
    yield Row(f"Flax's example: {what}", value, 'estimated')
  groups = {'statistics of each device': images, 'of the whole batch': 0}
  for name, group_size in groups.items():
    setup = make_setup(
      'resnet50',
      resolution=RESOLUTION,
      batch_size=images * len(devices),
      precision='bfloat16',
      devices=devices,
      norm={'momentum': 0.9, 'group_size': group_size},
    )
    ours = _counted(setup.lower_train(RESOLUTION))
    for what, value in ours.items():
      bar = '<= 3 in all' if what == 'all-reduces' else '<= 1'
      yield Row(
        *(f'ours, {name}: {what}', value, 'estimated'),
        *(value / theirs[what], "Flax's example", bar),
      )


def _counted(lowered) -> dict[str, float]:
  compiled = lowered.compile()
  counted = counts.count(compiled.as_text())
  memory = compiled.memory_analysis()
  return {
    'Mcycles': counted.cycles / 1e6,
    'GB of HBM traffic': counted.bytes / 1e9,
    'GB accessed, as XLA counts': compiled.cost_analysis()['bytes accessed']
    / 1e9,
    'GiB at the peak': memory.peak_memory_in_bytes / 2**30,
    'all-reduces': counted.collectives.get('all-reduce', 0),
  }
