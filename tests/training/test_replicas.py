"""Devices that have drifted apart are found out."""

from tests.forced_devices import output_of


def test_the_device_that_is_alone_is_named():
  out = output_of(__file__, 'replicas_program.py', 3)
  assert out.startswith('c differs on cpu:1 from that on other devices')
  assert 'at step 7' in out
