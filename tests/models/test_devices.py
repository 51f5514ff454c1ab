"""Group statistics must be the same numbers on 1, 2 and 8 devices."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

BATCH = 16  # of 8 devices each holds one group of 2, or a quarter of one of 8


@pytest.fixture(scope='module')
def images():
  rng = np.random.default_rng(0)
  offset = np.arange(BATCH)[:, None, None, None]
  return rng.normal(offset, 1 + offset, (BATCH, 3, 3, 4)).astype(np.float32)


@pytest.fixture(scope='module')
def results(images, tmp_path_factory):
  folder = tmp_path_factory.mktemp('devices')
  np.save(folder / 'images.npy', images)
  subprocess.run(
    [
      sys.executable,
      pathlib.Path(__file__).with_name('device_program.py'),
      folder / 'images.npy',
      folder / 'results.npz',
    ],
    check=True,
    timeout=120,
    env=os.environ
    | {
      'XLA_FLAGS': '--xla_force_host_platform_device_count=8',
      'JAX_PLATFORMS': 'cpu',
      'PYTHONPATH': os.pathsep.join(sys.path),
    },
  )
  with np.load(folder / 'results.npz') as loaded:
    return dict(loaded)


@pytest.mark.parametrize('num_devices', [1, 2, 8])
@pytest.mark.parametrize('group_size', [2, 4, 8, 0])
def test_group_statistics(group_size, num_devices, images, results):
  got = {
    name: results[f'{group_size}/{num_devices}/{name}']
    for name in ('y', 'gradient', 'mean', 'var', 'devices')
  }
  assert got['devices'] == num_devices
  size = group_size or BATCH
  groups = images.astype(np.float64).reshape(-1, size, 3, 3, 4)
  mean = groups.mean((1, 2, 3), keepdims=True)
  var = groups.var((1, 2, 3), keepdims=True)
  y = ((groups - mean) / np.sqrt(var + 1e-5)).reshape(images.shape)
  np.testing.assert_allclose(got['y'], y, atol=1e-5)
  np.testing.assert_allclose(
    got['mean'], 0.5 * mean.mean((0, 1, 2, 3)), rtol=1e-5, atol=1e-6
  )
  np.testing.assert_allclose(
    got['var'], 0.5 + 0.5 * var.mean((0, 1, 2, 3)), rtol=1e-5
  )
  np.testing.assert_allclose(
    got['gradient'], results[f'{group_size}/1/gradient'], atol=1e-5
  )


@pytest.mark.parametrize(
  ('group_size', 'num_devices', 'needed'),
  [(2, 8, 0), (8, 2, 0), (4, 8, 2), (8, 8, 4), (0, 2, 2), (0, 8, 8)],
)
def test_devices_speak_within_a_group_alone(
  group_size, num_devices, needed, results
):
  # And never gather: what they exchange is sums.
  collectives = results[f'{group_size}/{num_devices}/collectives']
  assert set(collectives) == ({f'all-reduce of {needed}'} if needed else set())
