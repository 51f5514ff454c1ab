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
