"""Devices that have drifted apart are found out."""

import os
import pathlib
import subprocess
import sys


def test_the_device_that_is_alone_is_named():
  out = subprocess.run(
    [sys.executable, pathlib.Path(__file__).with_name('replicas_program.py')],
    check=True,
    timeout=120,
    capture_output=True,
    text=True,
    env={
      **os.environ,
      'XLA_FLAGS': '--xla_force_host_platform_device_count=3',
      'JAX_PLATFORMS': 'cpu',
      'PYTHONPATH': os.pathsep.join(sys.path),
    },
  ).stdout
  assert out.startswith('c differs on cpu:1 from that on other devices')
  assert 'at step 7' in out
