"""Programs over forced CPU devices, whose number is fixed when JAX starts."""

import os
import pathlib
import subprocess
import sys


def output_of(test_file: str, program: str, devices: int) -> str:
  """Returns what a program beside a test prints over so many devices."""
  return subprocess.run(
    [sys.executable, pathlib.Path(test_file).with_name(program)],
    check=True,
    timeout=300,
    stdout=subprocess.PIPE,
    text=True,
    env={
      **os.environ,
      'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}',
      'JAX_PLATFORMS': 'cpu',
      'PYTHONPATH': os.pathsep.join(sys.path),
    },
  ).stdout
