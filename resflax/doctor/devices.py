"""Which devices JAX finds, and whether they compute together."""

import glob
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from resflax.aot import libtpu
from resflax.doctor.findings import Finding, failed, looked_at, ok, warning
from resflax.errors import LostPeerError
from resflax.parallel import mesh as meshes

CHECK, SUM = 'devices', 'sum over devices'

# What to install for devices that are here and not found.
_EXTRAS = {'gpu': 'cuda', 'tpu': 'tpu'}
# What keeps JAX from looking for them.
_HIDING = ('JAX_PLATFORMS', 'CUDA_VISIBLE_DEVICES')


def examine(environ: Mapping[str, str]) -> list[Finding]:
  """Returns which devices there are, and what a sum over them gives.

  Args:
    environ: as it was when the process began.
  """
  found = looked_at(CHECK, lambda: _found(environ))
  if all(finding.exit_code == 0 for finding in found):
    found += looked_at(SUM, _sum)
  return found


def _found(environ: Mapping[str, str]) -> Finding:
  devices, local = jax.devices(), jax.local_device_count()
  platform = devices[0].platform
  said = f'{len(devices)} x {devices[0].device_kind} ({platform})'
  if jax.process_count() > 1:
    said += f', {local} of each of {jax.process_count()} processes'
  left = [name for name in _here() if name != platform]
  if platform == 'cpu' and left:
    install = f"pip install -e '.[{_EXTRAS[left[0]]}]'"
    hidden = [name for name in _HIDING if name in environ]
    return warning(
      CHECK,
      f'{said}, and a {left[0].upper()} is here that JAX does not find',
      f'unset {" ".join(hidden)}' if hidden else install,
    )
  slices = len({getattr(device, 'slice_index', 0) for device in devices})
  wanted = environ.get('MEGASCALE_NUM_SLICES', '1')
  if platform == 'tpu' and wanted != str(slices):
    return failed(
      CHECK,
      LostPeerError(f'{said}: {slices} slices, MEGASCALE_NUM_SLICES={wanted}.'),
      'start the same command on every host of every slice',
    )
  return ok(CHECK, said if slices == 1 else f'{said}, {slices} slices')


def _here() -> list[str]:
  """Returns the accelerators that the machine has, whatever JAX finds."""
  found = {'gpu': glob.glob('/dev/nvidia[0-9]*'), 'tpu': libtpu.is_tpu_here()}
  return [name for name, there in found.items() if there]


def _sum() -> Finding:
  """Adds up a number of each device, over all hosts."""
  mesh = meshes.make_mesh()
  numbers = jax.make_array_from_callback(
    (mesh.size,),
    meshes.batch_sharded(mesh),
    lambda index: np.arange(mesh.size, dtype=np.float32)[index],
  )
  add = jax.jit(jnp.sum, out_shardings=meshes.replicated(mesh))
  total, expected = float(add(numbers)), mesh.size * (mesh.size - 1) / 2
  if total != expected:
    return failed(SUM, LostPeerError(f'{total:g}, and not {expected:g}.'))
  return ok(SUM, 'as it should be')
