"""The convolution against a loop in NumPy, and against Flax's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resflax.models.conv import Conv


def convolve(x, kernel, stride, dilation, groups):
  """Pads (k-1)/2 * dilation zeros all around and sums tap by tap."""
  k, _, per_group, features = kernel.shape
  pad = (k - 1) // 2 * dilation
  x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
  reach = (k - 1) * dilation + 1
  sides = [(n - reach) // stride + 1 for n in x.shape[1:3]]
  y = np.zeros((len(x), *sides, features))
  for out in range(features):
    first = out // (features // groups) * per_group
    for row in range(sides[0]):
      for col in range(sides[1]):
        top, left = row * stride, col * stride
        patch = x[
          :,
          top : top + reach : dilation,
          left : left + reach : dilation,
          first : first + per_group,
        ]
        y[:, row, col, out] = (patch * kernel[..., out]).sum((1, 2, 3))
  return y


@pytest.mark.parametrize(
  ('size', 'kernel_size', 'stride', 'dilation', 'groups'),
  [
    (8, 3, 1, 1, 1),
    (8, 3, 2, 1, 1),
    (7, 3, 2, 1, 2),
    (8, 3, 1, 2, 1),
    (9, 3, 1, 4, 4),
    (8, 1, 2, 1, 1),
    (9, 7, 2, 1, 1),
  ],
)
def test_symmetric_padding(size, kernel_size, stride, dilation, groups):
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, size, size + 1, 4)).astype(np.float32)
  shape = (kernel_size, kernel_size, 4 // groups, 8)
  kernel = rng.normal(size=shape).astype(np.float32)
  conv = Conv(8, kernel_size, stride, dilation, groups)
  y = conv.apply({'params': {'kernel': kernel}}, jnp.asarray(x))
  expected = convolve(x, kernel, stride, dilation, groups)
  np.testing.assert_allclose(y, expected, atol=1e-4)


@pytest.mark.parametrize('size', [8, 9])
def test_same_padding_is_tensorflows(size, key):
  x = jax.random.normal(key, (1, size, size, 3))
  ours = Conv(4, 3, stride=2, padding='same')
  theirs = nn.Conv(4, (3, 3), strides=2, padding='SAME', use_bias=False)
  variables = ours.init(key, x)
  np.testing.assert_array_equal(
    ours.apply(variables, x), theirs.apply(variables, x)
  )


def test_a_grouped_convolution_is_one_for_each_group(key):
  x = jax.random.normal(key, (1, 6, 6, 8))
  variables = Conv(12, 3, groups=4).init(key, x)
  kernel = variables['params']['kernel']
  parts = [
    Conv(3, 3).apply({'params': {'kernel': part}}, inputs)
    for inputs, part in zip(
      jnp.split(x, 4, axis=-1), jnp.split(kernel, 4, axis=-1), strict=True
    )
  ]
  whole = Conv(12, 3, groups=4).apply(variables, x)
  np.testing.assert_allclose(whole, jnp.concatenate(parts, -1), atol=1e-5)


def test_initial_kernels_have_he_fan_out_variance(key):
  kernel = Conv(256, 3, groups=4).init(key, jnp.ones((1, 4, 4, 256)))
  std = np.std(kernel['params']['kernel'])
  assert std == pytest.approx(np.sqrt(2 / (9 * 256)), rel=0.01)


def test_computes_in_its_dtype_on_float32_parameters(key):
  conv = Conv(4, 3, dtype=jnp.bfloat16)
  y, variables = conv.init_with_output(key, jnp.ones((1, 4, 4, 3)))
  assert y.dtype == jnp.bfloat16
  assert variables['params']['kernel'].dtype == jnp.float32


def gradients(form, dtype, x, kernel, shape, **window):
  conv = Conv(kernel.shape[-1], len(kernel), form=form, dtype=dtype, **window)
  cotangent = np.random.default_rng(1).normal(size=shape).astype(dtype)

  def loss(x, kernel):
    return jnp.vdot(conv.apply({'params': {'kernel': kernel}}, x), cotangent)

  return jax.jit(jax.grad(loss, (0, 1)))(x.astype(dtype), kernel.astype(dtype))


WINDOWS = [
  # kernel size, groups, features, window
  (1, 1, 8, {}),
  (1, 1, 8, {'stride': 2}),
  (1, 4, 8, {'stride': 2}),
  (3, 1, 8, {}),
  (3, 1, 8, {'stride': 2}),
  (3, 1, 8, {'stride': 3}),
  (3, 1, 8, {'stride': 2, 'padding': 'same'}),
  (3, 1, 8, {'dilation': 2}),
  (3, 1, 8, {'stride': 2, 'dilation': 2, 'padding': 'same'}),
  (3, 4, 8, {}),  # dense, for its groups are small
  (3, 4, 8, {'stride': 2}),
  (3, 4, 8, {'stride': 2, 'padding': 'same'}),
  (3, 2, 16, {}),  # grouped
  (3, 2, 16, {'stride': 2}),
  (3, 2, 16, {'stride': 2, 'dilation': 2}),
  (7, 1, 8, {'stride': 2}),
  (3, 8, 8, {}),  # depthwise
  (5, 8, 8, {'stride': 2, 'padding': 'same'}),
  (3, 8, 8, {'stride': 2, 'dilation': 2}),
  (1, 8, 8, {'stride': 2}),
]


@pytest.mark.parametrize('size', [(8, 8), (9, 10), (2, 2), (1, 3)])
@pytest.mark.parametrize('kernel_size, groups, features, window', WINDOWS)
def test_gradients_equal_autodiff_in_float64(
  size, kernel_size, groups, features, window
):
  rng = np.random.default_rng(0)
  x = rng.normal(size=(3, *size, features))
  side = (kernel_size, kernel_size)
  kernel = rng.normal(size=(*side, features // groups, features))
  window = window | {'groups': groups}
  shape = (
    Conv(features, kernel_size, **window)
    .init_with_output(jax.random.key(0), jnp.asarray(x, jnp.float32))[0]
    .shape
  )
  ours = gradients('auto', np.float32, x, kernel, shape, **window)
  with jax.enable_x64(True):
    exact = gradients('xla', np.float64, x, kernel, shape, **window)
    assert exact[0].dtype == exact[1].dtype == np.float64
  for got, expected in zip(ours, map(np.asarray, exact), strict=True):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
      np.asarray(got) / scale, expected / scale, atol=1e-5
    )


@pytest.mark.parametrize('size', [(1, 1), (2, 2), (2, 4)])
@pytest.mark.parametrize('kernel_size, groups, features, window', WINDOWS)
def test_small_images_convolve_alike(
  size, kernel_size, groups, features, window, key
):
  x = jax.random.normal(key, (3, *size, features))
  ours, plain = (
    Conv(features, kernel_size, groups=groups, form=form, **window)
    for form in ('auto', 'xla')
  )
  got, variables = ours.init_with_output(key, x)
  np.testing.assert_allclose(got, plain.apply(variables, x), atol=1e-5)


@pytest.mark.parametrize(
  'kernel_size, groups', [(1, 1), (3, 1), (3, 4), (3, 8)]
)
def test_gradients_keep_the_dtype(kernel_size, groups, key):
  x = jax.random.normal(key, (2, 8, 8, 8), jnp.bfloat16)
  conv = Conv(8, kernel_size, groups=groups, dtype=jnp.bfloat16)
  variables = conv.init(key, x)

  def loss(variables, x):
    return conv.apply(variables, x).sum()

  by_kernel, by_input = jax.grad(loss, (0, 1))(variables, x)
  assert by_kernel['params']['kernel'].dtype == jnp.float32
  assert by_input.dtype == jnp.bfloat16


def test_the_plain_form_has_a_forward_mode(key):
  x = jax.random.normal(key, (1, 6, 6, 2))
  conv = Conv(2, 3, form='xla')
  variables = conv.init(key, x)

  def square(variables):
    return jnp.square(conv.apply(variables, x)).sum()

  _, product = jax.jvp(jax.grad(square), (variables,), (variables,))
  # The gradient of a quadratic form is linear.
  np.testing.assert_allclose(
    product['params']['kernel'],
    jax.grad(square)(variables)['params']['kernel'],
    rtol=1e-4,
  )
