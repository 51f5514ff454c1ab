"""The stem's pooling: its gradient is autodiff's, on CPUs by other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.models.pooling import max_pool
from tests.models.test_conv_programs import operations


def value_and_gradient(form, padding, x, cotangent):
  y, pull_back = jax.vjp(lambda x: max_pool(x, padding, form), x)
  return y, pull_back(cotangent)[0]


# Of one size to both, and of sides of which windows leave a row over.
SHAPES = ((2, 8, 8, 3), (2, 7, 10, 4), (1, 1, 1, 2), (3, 6, 5, 1), (1, 2, 3, 2))


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('padding', ['symmetric', 'same'])
@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
def test_the_gradient_is_autodiffs_to_the_last_bit(shape, padding, dtype):
  rng = np.random.default_rng(0)
  # As behind a ReLU: equal maxima, most of them zeros, and below zero too.
  x = jnp.asarray(rng.integers(-2, 4, shape), dtype)
  y = max_pool(x, padding)
  cotangent = jnp.asarray(rng.normal(size=y.shape), dtype)
  found = {
    form: jax.jit(value_and_gradient, static_argnums=(0, 1))(
      form, padding, x, cotangent
    )
    for form in ('auto', 'xla')
  }
  for ours, theirs in zip(found['auto'], found['xla'], strict=True):
    assert ours.dtype == dtype
    np.testing.assert_array_equal(
      np.asarray(ours, np.float32), np.asarray(theirs, np.float32)
    )
  assert np.asarray(found['auto'][1], np.float32).any()


def test_it_is_torchs_pooling_where_padding_is_symmetric():
  """By hand: windows of rows and columns -1 to 1 and 1 to 3."""
  x = jnp.arange(16.0).reshape(1, 4, 4, 1)
  np.testing.assert_array_equal(
    max_pool(x, 'symmetric')[0, ..., 0], [[5, 7], [13, 15]]
  )
  np.testing.assert_array_equal(
    max_pool(x, 'same')[0, ..., 0], [[10, 11], [14, 15]]
  )


def traced(form):
  x = jax.ShapeDtypeStruct((2, 8, 8, 4), jnp.float32)

  def loss(x):
    return jnp.square(max_pool(x, 'symmetric', form)).sum()

  return jax.jit(jax.grad(loss)).trace(x)


def program(form, platform):
  lowered = traced(form).lower(lowering_platforms=(platform,))
  return operations(lowered.as_text())


@pytest.mark.parametrize('platform', ['tpu', 'cuda'])
def test_other_platforms_get_autodiffs_program(platform):
  ours, theirs = program('auto', platform), program('xla', platform)
  assert any('select_and_scatter' in line for line in theirs)
  assert ours == theirs


def test_on_a_cpu_no_window_is_gone_through():
  for form, goes in (('auto', False), ('xla', True)):
    found = any('select_and_scatter' in line for line in program(form, 'cpu'))
    assert found == goes
