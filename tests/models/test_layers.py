"""Norm, squeeze-and-excitation and stochastic depth against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resflax.errors import UsageError
from resflax.models.layers import (
  Conventions,
  ConvNorm,
  Drop,
  GroupBatchNorm,
  SqueezeExcite,
  StochasticDepth,
)


@pytest.fixture
def images(key):
  # Groups differ in mean and spread, so that a wrong grouping shows.
  x = jax.random.normal(key, (6, 5, 4, 3))
  return x * jnp.arange(1.0, 7)[:, None, None, None] + 3


def norm_variables():
  return {
    'params': {'scale': jnp.array([1.0, 2, 3]), 'bias': jnp.array([0.0, 1, 2])},
    'batch_stats': {
      'mean': jnp.array([5.0, 6, 7]),
      'var': jnp.array([8.0, 9, 10]),
    },
  }


@pytest.mark.parametrize('group_size', [1, 2, 3, 6, 0])
def test_norm_in_training(group_size, images):
  x, size = np.asarray(images, np.float64), group_size or 6
  groups = x.reshape(6 // size, size, 5, 4, 3)
  means, variances = groups.mean((1, 2, 3)), groups.var((1, 2, 3))
  expected = np.concatenate(
    [
      (group - mean) / np.sqrt(var + 1e-3) * [1, 2, 3] + [0, 1, 2]
      for group, mean, var in zip(groups, means, variances, strict=True)
    ]
  )
  norm = GroupBatchNorm(group_size, momentum=0.75, epsilon=1e-3)
  y, updates = norm.apply(
    norm_variables(), images, train=True, mutable=['batch_stats']
  )
  np.testing.assert_allclose(y, expected, atol=2e-5)
  stats = updates['batch_stats']
  np.testing.assert_allclose(
    stats['mean'], 0.75 * np.array([5, 6, 7]) + 0.25 * means.mean(0), rtol=1e-5
  )
  np.testing.assert_allclose(
    stats['var'],
    0.75 * np.array([8, 9, 10]) + 0.25 * variances.mean(0),
    rtol=1e-5,
  )


def test_norm_in_evaluation_takes_the_running_statistics(images):
  # The batch is no multiple of the group: groups are a matter of training.
  y = GroupBatchNorm(4, epsilon=1e-3).apply(
    norm_variables(), images, train=False
  )
  expected = (np.asarray(images) - [5, 6, 7]) / np.sqrt(
    np.array([8, 9, 10]) + 1e-3
  ) * [1, 2, 3] + [0, 1, 2]
  np.testing.assert_allclose(y, expected, atol=1e-5)


def test_one_group_is_flaxs_batch_norm(images):
  theirs = nn.BatchNorm(momentum=0.9, epsilon=1e-5, use_running_average=False)
  ours = GroupBatchNorm(momentum=0.9, epsilon=1e-5)
  want, want_stats = theirs.apply(
    norm_variables(), images, mutable=['batch_stats']
  )
  got, got_stats = ours.apply(
    norm_variables(), images, train=True, mutable=['batch_stats']
  )
  np.testing.assert_allclose(got, want, atol=1e-5)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5),
    got_stats,
    want_stats,
  )


def test_a_group_must_divide_the_batch(images):
  with pytest.raises(UsageError, match=r'batch of 6 .* of 4.*norm\.group_size'):
    GroupBatchNorm(4).apply(
      norm_variables(), images, train=True, mutable=['batch_stats']
    )


@pytest.mark.parametrize('train', [True, False])
def test_any_batch_will_do_for_initialisation(train, key, images):
  norm = GroupBatchNorm(64)
  variables = norm.init(key, images[:1], train=train)
  np.testing.assert_array_equal(variables['batch_stats']['mean'], np.zeros(3))
  np.testing.assert_array_equal(variables['batch_stats']['var'], np.ones(3))


def test_statistics_are_float32_whatever_the_activations(images):
  norm = GroupBatchNorm(2, momentum=0.0, dtype=jnp.bfloat16)
  # 1000 + noise: bfloat16 sums would lose the noise altogether.
  x = (images + 1000).astype(jnp.bfloat16)
  y, updates = norm.apply(
    norm_variables(), x, train=True, mutable=['batch_stats']
  )
  assert y.dtype == jnp.bfloat16
  assert updates['batch_stats']['mean'].dtype == jnp.float32
  mean = np.asarray(x, np.float64).mean((0, 1, 2))
  np.testing.assert_allclose(updates['batch_stats']['mean'], mean, rtol=1e-5)


def test_a_constant_image_has_no_negative_variance():
  x = jnp.full((2, 3, 3, 3), 1234.567)
  y = GroupBatchNorm().apply(
    norm_variables(), x, train=True, mutable=['batch_stats']
  )[0]
  assert np.isfinite(y).all()


def test_conv_norm_names_and_zero_scale(key, images):
  layer = ConvNorm(4, 3, zero_scale=True)
  y, variables = layer.init_with_output(key, images, train=False)
  assert {k: set(v) for k, v in variables['params'].items()} == {
    'conv': {'kernel'},
    'norm': {'scale', 'bias'},
  }
  assert set(variables['batch_stats']['norm']) == {'mean', 'var'}
  np.testing.assert_array_equal(y, np.zeros((6, 5, 4, 4)))


def test_conventions_reach_convolution_and_norm():
  conventions = Conventions(
    padding='same', group_size=8, momentum=0.5, epsilon=0.1, dtype=jnp.bfloat16
  )
  conv, norm = conventions.conv(4, 3, stride=2), conventions.norm()
  assert (conv.padding, conv.stride, conv.dtype) == ('same', 2, jnp.bfloat16)
  assert (norm.group_size, norm.momentum, norm.epsilon, norm.dtype) == (
    8,
    0.5,
    0.1,
    jnp.bfloat16,
  )


def test_squeeze_excite(key, images):
  layer = SqueezeExcite(2)
  variables = layer.init(key, images)
  rng = np.random.default_rng(0)
  params = jax.tree.map(lambda p: rng.normal(size=p.shape), variables['params'])
  reduce, expand = params['reduce'], params['expand']
  assert reduce['kernel'].shape == (3, 2)
  assert expand['kernel'].shape == (2, 3)
  x = np.asarray(images)
  hidden = np.maximum(x.mean((1, 2)) @ reduce['kernel'] + reduce['bias'], 0)
  gate = 1 / (1 + np.exp(-(hidden @ expand['kernel'] + expand['bias'])))
  np.testing.assert_allclose(
    layer.apply({'params': params}, images),
    x * gate[:, None, None, :],
    rtol=1e-5,
  )


def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean(key):
  x = jnp.arange(1.0, 4001).reshape(1000, 2, 2, 1)
  y = StochasticDepth().apply({}, x, Drop(0.25, key))
  ratio = np.asarray(y / x).reshape(1000, 4)
  kept = ratio[:, 0] > 0
  np.testing.assert_allclose(ratio[kept], 4 / 3, rtol=1e-6)
  assert not ratio[~kept].any()
  assert kept.mean() == pytest.approx(0.75, abs=0.05)


def test_stochastic_depth_otherwise_does_nothing(key):
  x = jax.random.normal(key, (2, 1, 1, 3))
  for drop in (None, Drop(0.0, key)):
    np.testing.assert_array_equal(StochasticDepth().apply({}, x, drop), x)
