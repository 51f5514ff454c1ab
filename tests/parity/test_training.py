"""Training takes the same path as torch and timm's parts from equal weights."""

import json

import numpy as np
import pytest

from tests.parity import training


@pytest.mark.parity
def test_torch_still_takes_the_recorded_path():
  """Where it is installed: what is on record is what it does today."""
  for package in ('timm', 'torch'):
    pytest.importorskip(package, reason=f'the run needs {package}')
  from tests.parity.record_training import losses

  today, recorded = losses(), json.loads(training.DATA.read_text())
  for name in ('losses', 'average'):
    np.testing.assert_allclose(today[name], recorded[name], rtol=1e-4)


@pytest.mark.slow
def test_losses_are_torchs_at_every_step():
  """In training mode: torch's running variance is another than ours."""
  theirs = json.loads(training.DATA.read_text())
  ours = training.losses()
  np.testing.assert_allclose(ours['losses'], theirs['losses'], rtol=1e-4)
  np.testing.assert_allclose(ours['average'], theirs['average'], rtol=1e-4)
  assert theirs['losses'][-1] < 0.5 * theirs['losses'][0]  # it learns
