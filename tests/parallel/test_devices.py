"""The loss goes the same way over any number of devices, but for rounding."""

import json

import numpy as np
import pytest

from tests.forced_devices import output_of

TOLERANCE = 1e-4  # relative, after 60 steps; 1e-5 were measured


@pytest.mark.slow
def test_losses_are_those_of_one_device():
  out = output_of(__file__, 'devices_program.py', 8)
  one, *several = np.array(json.loads(out))
  assert np.ptp(one) > 0.1  # it has moved
  for losses in several:
    np.testing.assert_allclose(losses, one, rtol=TOLERANCE)
