"""Batches over devices, with 8 forced ones in a process of their own."""

import subprocess
import sys

import pytest

CODE = """
import os
os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=8'
import jax, numpy as np
from resflax.errors import UsageError
from resflax.parallel import mesh as meshes
mesh = meshes.make_mesh()
assert mesh.size == 8 and mesh.axis_names == ('data',)
rows = np.arange(16, dtype=np.int32)
batch = meshes.shard(mesh, {'label': rows})
assert len(batch['label'].addressable_shards) == 8
assert [s.data.tolist() for s in batch['label'].addressable_shards] == [
  [2 * i, 2 * i + 1] for i in range(8)
]
meshes.check_batch_size(64, mesh)
for size in (12, 3):
  try:
    meshes.check_batch_size(size, mesh)
  except UsageError as error:
    print(error)
"""


def test_batch_is_dealt_in_order_and_must_divide():
  out = subprocess.run(
    [sys.executable, '-c', CODE], capture_output=True, text=True, check=True
  ).stdout.splitlines()
  assert out == [
    'config.batch_size=12 does not divide over 8 devices: the nearest that do '
    'are 8 and 16.',
    'config.batch_size=3 does not divide over 8 devices: the nearest that do '
    'are 8.',
  ]


def test_mesh_of_given_devices():
  import jax

  from resflax.parallel.mesh import make_mesh

  assert make_mesh(jax.devices()[:1]).size == 1


@pytest.mark.parametrize('size', [1, 7])
def test_one_device_takes_any_batch(size):
  from resflax.parallel.mesh import check_batch_size, make_mesh

  check_batch_size(size, make_mesh())


SPREAD = """
import os
os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=8'
import jax, numpy as np
from resflax.parallel import mesh as meshes
mesh = meshes.make_mesh()
shapes = {
  'kernel': np.zeros((3, 3, 16, 24)),
  'bias': np.zeros(10),
  'step': np.zeros(()),
}
whole = meshes.placed(mesh, shapes)
spread = meshes.placed(mesh, shapes, spread=True)
for tree in (whole, spread):
  print([tuple(tree[name].sharding.spec) for name in shapes])
array = jax.device_put(shapes['kernel'], spread['kernel'].sharding)
print(array.addressable_shards[0].data.shape)
print(meshes.gathered(mesh, array).sharding.is_fully_replicated)
"""


def test_the_longest_axis_that_divides_is_spread():
  out = subprocess.run(
    [sys.executable, '-c', SPREAD], capture_output=True, text=True, check=True
  ).stdout.splitlines()
  assert out == [
    '[(), (), ()]',
    "[(None, None, None, 'data'), (), ()]",
    '(3, 3, 16, 3)',
    'True',
  ]


SLICES = """
import dataclasses
from resflax.parallel import mesh as meshes

@dataclasses.dataclass(frozen=True)
class Chip:
  id: int
  slice_index: int
  process_index: int
  coords: tuple
  core_on_chip: int = 0
  platform: str = 'tpu'
  device_kind: str = 'TPU v5 lite'

meshes.Mesh = lambda grid, *_, **__: grid
chips = [Chip(i, i % 2, i % 2, (i // 4, i // 2 % 2, 0)) for i in range(8)]
grid = meshes.make_mesh(chips)
print([chip.slice_index for chip in grid], sorted(chip.id for chip in grid))
"""


def test_slices_are_stretches_of_the_axis():
  out = subprocess.run(
    [sys.executable, '-c', SLICES], capture_output=True, text=True, check=True
  ).stdout
  assert out == '[0, 0, 0, 0, 1, 1, 1, 1] [0, 1, 2, 3, 4, 5, 6, 7]\n'
