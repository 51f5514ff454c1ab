"""The compiler for TPUs, on machines that have none.

Imports no JAX: what is set here has to be set before JAX looks for devices.
"""

import os
import pathlib

GOOGLE = '0x1ae0'  # PCI vendor

# For a machine of one chip, so that libtpu asks nobody which one it is on.
_ENVIRONMENT = {
  'TPU_SKIP_MDS_QUERY': '1',
  'TPU_ACCELERATOR_TYPE': 'v5litepod-1',
  'TPU_WORKER_HOSTNAMES': 'localhost',
  'TPU_WORKER_ID': '0',
  'TPU_MIN_LOG_LEVEL': '3',
  'ALLOW_MULTIPLE_LIBTPU_LOAD': '1',
}


def pretend() -> None:
  """Lets libtpu load without a TPU; does nothing where there is one.

  JAX loads libtpu wherever it is installed, and libtpu writes errors about
  the TPU that it does not find.
  """
  if not is_tpu_here():
    for name, value in _ENVIRONMENT.items():
      os.environ.setdefault(name, value)


def is_tpu_here() -> bool:
  """Whether the machine has a TPU."""
  vendors = pathlib.Path('/sys/bus/pci/devices').glob('*/vendor')
  return any(vendor.read_text().strip() == GOOGLE for vendor in vendors)
