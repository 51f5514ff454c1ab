"""Two devices with copies that differ; see test_replicas.py."""

import jax
import numpy as np

from resflax.errors import LostPeerError
from resflax.parallel import mesh as meshes
from resflax.training.replicas import check_replicas

mesh = meshes.make_mesh()
whole = meshes.replicated(mesh)


def copies(*values):
  parts = [
    jax.device_put(np.float32(value), device)
    for value, device in zip(values, jax.devices(), strict=True)
  ]
  return jax.make_array_from_single_device_arrays((), whole, parts)


same = {'a': copies(1.0, 1.0, 1.0), 'b': copies(np.nan, np.nan, np.nan)}
next_to_2 = np.nextafter(np.float32(2), np.float32(3))
check_replicas(same, 7)
try:
  check_replicas({**same, 'c': copies(2.0, next_to_2, 2.0)}, 7)
except LostPeerError as error:
  print(error)
