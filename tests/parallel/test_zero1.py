"""A state spread over the devices is updated as a whole one is."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

DEVICES = 4


@pytest.mark.slow
def test_devices_hold_parts_and_update_the_same():
  out = subprocess.run(
    [sys.executable, pathlib.Path(__file__).with_name('zero1_program.py')],
    check=True,
    timeout=300,
    stdout=subprocess.PIPE,
    env={
      **os.environ,
      'XLA_FLAGS': f'--xla_force_host_platform_device_count={DEVICES}',
      'JAX_PLATFORMS': 'cpu',
      'PYTHONPATH': os.pathsep.join(sys.path),
    },
  ).stdout
  difference, replicated, zero1 = json.loads(out)
  assert difference < 1e-5
  assert zero1['params'] == replicated['params']
  # Almost everything has an axis that four divides; biases of 10 have none.
  for name in ('opt_state', 'ema'):
    assert zero1[name] < 1.05 * replicated[name] / DEVICES
