"""What a chip can do at best: the roofline beside the compiler's estimate."""

import importlib.util
from typing import NamedTuple

import jax

from resflax.aot import libtpu
from resflax.errors import UsageError, unknown


class Chip(NamedTuple):
  """Peak figures of one chip.

  Attributes:
    flops: bfloat16 operations a second.
    bandwidth: of its memory, bytes a second.
    memory: bytes.
    clock_hz: that cycles are counted in: peak operations over two for each
      cell of its matrix units.
    cores: that JAX sees as a device each.
  """

  flops: float
  bandwidth: float
  memory: float
  clock_hz: float
  cores: int = 1


# v4 and v5p join their two cores to one device, a "megacore".
# Source: the "Key chip specifications" of cloud.google.com/tpu/docs/v2 to v6e.
# The clock of v6e assumes four units of 256 x 256.
CHIPS = {
  'v2': Chip(46e12, 700e9, 16e9, 0.70e9, cores=2),
  'v3': Chip(123e12, 900e9, 32e9, 0.94e9, cores=2),
  'v4': Chip(275e12, 1228e9, 32e9, 1.05e9),
  'v5e': Chip(197e12, 819e9, 16e9, 1.50e9),
  'v5p': Chip(459e12, 2765e9, 95e9, 1.75e9),
  'v6e': Chip(918e12, 1640e9, 32e9, 1.75e9),
}


def chip_of(topology: str) -> Chip:
  """Returns the chip of a topology such as `v5e:16x16`.

  Raises:
    UsageError: an unknown generation, or no size.
  """
  generation, colon, size = topology.partition(':')
  if generation not in CHIPS:
    raise unknown('TPU', generation, CHIPS, '--topology')
  if not colon or not size:
    raise UsageError(
      f'--topology={topology} has no size: give chips a side, as in '
      f'--topology={generation}:4x4.'
    )
  return CHIPS[generation]


def devices_of(topology: str) -> list[jax.Device]:
  """Returns the devices of a pod that is not here, to compile for.

  Raises:
    UsageError: libtpu is missing, or there is no such topology.
  """
  from jax.experimental import topologies

  chip_of(topology)
  if importlib.util.find_spec('libtpu') is None:
    raise UsageError(
      'Compiling for a TPU needs libtpu, which needs no TPU: '
      "pip install -e '.[tpu]'."
    )
  libtpu.pretend()
  try:
    options = {'chip_config_name': 'megacore'} if topology[:2] == 'v4' else {}
    found = topologies.get_topology_desc(topology, platform='tpu', **options)
  except Exception as error:
    reason = str(error).strip().splitlines()[0]
    raise UsageError(f'--topology={topology}: {reason}') from error
  return list(found.devices)
