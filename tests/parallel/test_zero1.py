"""A state spread over the devices is updated as a whole one is."""

import json

import pytest

from tests.forced_devices import output_of

DEVICES = 4


@pytest.mark.slow
def test_devices_hold_parts_and_update_the_same():
  out = output_of(__file__, 'zero1_program.py', DEVICES)
  difference, replicated, zero1 = json.loads(out)
  assert difference < 1e-5
  assert zero1['params'] == replicated['params']
  # Almost everything has an axis that four divides; biases of 10 have none.
  for name in ('opt_state', 'ema'):
    assert zero1[name] < 1.05 * replicated[name] / DEVICES
