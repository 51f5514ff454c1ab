"""One mesh with one axis, `data`: every device holds a slice of the batch."""

from collections.abc import Mapping, Sequence

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from resflax.errors import UsageError


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """Returns the mesh over `devices`, all of them where None.

  The axis is `Auto`: group normalisation reshapes the batch axis, which
  `jax.make_mesh`'s default of explicit axes refuses. Of several slices, which
  a slower network joins, each is one stretch of the axis.
  """
  devices = list(jax.devices() if devices is None else devices)
  slices = len({getattr(d, 'slice_index', 0) for d in devices})
  if slices == 1:
    return jax.make_mesh(
      (len(devices),), ('data',), axis_types=(AxisType.Auto,), devices=devices
    )
  grid = mesh_utils.create_hybrid_device_mesh(
    (len(devices) // slices,), (slices,), devices
  )
  return Mesh(grid, ('data',), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
  """The whole array on every device."""
  return NamedSharding(mesh, PartitionSpec())


def batch_sharded(mesh: Mesh) -> NamedSharding:
  """The leading axis dealt to the devices."""
  return NamedSharding(mesh, PartitionSpec('data'))


def placed(mesh: Mesh, shapes: PyTree, *, spread: bool = False) -> PyTree:
  """Returns shapes with their shardings.

  Args:
    mesh: the devices.
    shapes: of arrays.
    spread: whether each device keeps a part of every array that the devices
      divide, and not the whole.
  """

  def place(x):
    sharding = _spread(mesh, x.shape) if spread else replicated(mesh)
    return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding)

  return jax.tree.map(place, shapes)


def _spread(mesh: Mesh, shape: Sequence[int]) -> NamedSharding:
  """Dealt along the longest axis that the devices divide, if there is one."""
  divided = [i for i, n in enumerate(shape) if n and n % mesh.size == 0]
  if not divided:
    return replicated(mesh)
  axis = max(divided, key=lambda i: shape[i])
  return NamedSharding(mesh, PartitionSpec(*[None] * axis, 'data'))


def gathered(mesh: Mesh, arrays: PyTree) -> PyTree:
  """Returns arrays whole on every device."""
  whole = replicated(mesh)
  if all(x.sharding == whole for x in jax.tree.leaves(arrays)):
    return arrays
  return jax.jit(lambda tree: tree, out_shardings=whole)(arrays)


def own_copy(arrays: PyTree) -> PyTree:
  """Returns arrays that are whole on every device as this process's own."""
  return jax.tree.map(
    lambda x: (
      np.asarray(x.addressable_data(0)) if isinstance(x, jax.Array) else x
    ),
    arrays,
  )


def place_among(mesh: Mesh) -> tuple[int, int]:
  """Returns which of a mesh's processes this one is, and how many they are."""
  processes = sorted({device.process_index for device in mesh.devices.flat})
  return processes.index(jax.process_index()), len(processes)


def shard(mesh: Mesh, batch: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
  """Returns the global arrays of which each process holds its own rows."""
  sharding = batch_sharded(mesh)
  return {
    name: jax.make_array_from_process_local_data(sharding, rows)
    for name, rows in batch.items()
  }


def check_batch_size(batch_size: int, mesh: Mesh) -> None:
  """Refuses a batch that the devices do not divide.

  Raises:
    UsageError: names the nearest sizes that would do.
  """
  devices = mesh.size
  if batch_size % devices:
    below = batch_size // devices * devices
    nearest = [str(n) for n in (below, below + devices) if n]
    raise UsageError(
      f'config.batch_size={batch_size} does not divide over {devices} '
      f'devices: the nearest that do are {" and ".join(nearest)}.'
    )


def parts_of(mesh: Mesh, arrays: PyTree, parts: int) -> PyTree:
  """Returns the parts of a batch, each of as many rows of every device.

  Args:
    mesh: the batch is sharded over.
    arrays: whose first axis is the batch.
    parts: how many; they get an axis before the batch.
  """
  devices = mesh.size

  def split(x):
    rows = len(x) // (devices * parts)
    x = x.reshape(devices, parts, rows, *x.shape[1:]).swapaxes(0, 1)
    return x.reshape(parts, devices * rows, *x.shape[3:])

  return jax.tree.map(split, arrays)
