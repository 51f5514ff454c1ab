"""Statistics measured anew."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.recalibration import mean_statistics, recalibrated
from resflax.runs import load_run

BATCHES = [
  {'image': np.float32([n, n + 1]), 'mask': np.array([True, n < 2])}
  for n in range(3)
]


def statistics(batch):
  return {'norm': {'mean': batch['image'].mean(), 'var': batch['image'].var()}}


def test_the_mean_over_full_batches():
  found = mean_statistics(statistics, BATCHES)
  assert found == {'norm': {'mean': 1.0, 'var': 0.25}}


def test_without_a_full_batch_there_is_nothing_to_measure():
  with pytest.raises(UsageError, match='lower --batch_size'):
    mean_statistics(statistics, BATCHES[2:])


@pytest.mark.slow
def test_recalibrated_statistics_are_those_of_training_images(tiny_run):
  run = load_run(tiny_run.workdir)
  with pytest.raises(UsageError, match='44 full batches of 32, and 45 are'):
    recalibrated(run, 45, batch_size=32)
  resolved = run.setup.resolved
  grouped = dataclasses.replace(
    resolved, values={**resolved.values, 'model.norm.group_size': 64}
  )
  with pytest.raises(UsageError, match='32 has no whole groups of 64'):
    recalibrated(
      dataclasses.replace(
        run, setup=dataclasses.replace(run.setup, resolved=grouped)
      ),
      2,
      batch_size=32,
    )
  again = recalibrated(run, 2, batch_size=32)
  assert again.variables['params'] is run.variables['params']
  train = run.setup.dataset.split(run.config['data']['train_split'])
  seen = itertools.islice(run.sized(32).batches_of(train), 2)
  images = np.concatenate([batch['image'] for batch in seen])
  kernel = run.variables['params']['stem']['conv1']['conv']['kernel']
  outputs = jax.lax.conv_general_dilated(
    run.setup.normalise(jnp.asarray(images)),
    kernel,
    window_strides=(2, 2),
    padding=((1, 1), (1, 1)),
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )
  batches = np.asarray(outputs).reshape(2, 32, 16, 16, -1)
  found = again.variables['batch_stats']['stem']['conv1']['norm']
  expected = batches.mean((1, 2, 3)).mean(0)
  np.testing.assert_allclose(found['mean'], expected, rtol=1e-4, atol=1e-5)
  expected = batches.var((1, 2, 3)).mean(0)
  np.testing.assert_allclose(found['var'], expected, rtol=1e-4)
