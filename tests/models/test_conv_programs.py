"""Outside of CPUs a convolution's program is that of `nn.Conv`."""

import re

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from resflax.models.conv import Conv


def gradients(conv, x, groups):
  """Traces the value and the gradients of a convolution."""

  def loss(kernel, x):
    return jnp.square(conv.apply({'params': {'kernel': kernel}}, x)).sum()

  kernel = jax.ShapeDtypeStruct((3, 3, 8 // groups, 16), jnp.float32)
  return jax.jit(jax.value_and_grad(loss, (0, 1))).trace(kernel, x)


def operations(text):
  """The program's operations with their types, without names and order.

  Without the choice of the platform too, which XLA folds: it is a constant.
  """
  lines = [line.strip() for line in text.splitlines() if ' = ' in line]
  lines = [re.sub(r'%\w+(:\d+)?(#\d+)?', '%', line) for line in lines]
  lines = [re.sub(r' loc\(.*', '', line) for line in lines]
  choice = ('call @', 'stablehlo.case', '> : tensor<i32>')
  return sorted(line for line in lines if not any(c in line for c in choice))


@pytest.mark.parametrize('platform', ['tpu', 'cuda'])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('groups', [1, 4])
@pytest.mark.parametrize('side', [2, 8])
def test_other_platforms_get_autodiffs_program(platform, stride, groups, side):
  x = jax.ShapeDtypeStruct((2, side, side, 8), jnp.float32)
  ours = Conv(16, 3, stride=stride, groups=groups)
  theirs = nn.Conv(
    16,
    (3, 3),
    strides=stride,
    padding=[(1, 1), (1, 1)],
    feature_group_count=groups,
    use_bias=False,
  )
  programs = [
    operations(
      gradients(conv, x, groups).lower(lowering_platforms=(platform,)).as_text()
    )
    for conv in (ours, theirs)
  ]
  assert sum('convolution' in line for line in programs[0]) == 3
  assert programs[0] == programs[1]


def test_on_a_cpu_it_is_another_one():
  x = jax.ShapeDtypeStruct((2, 8, 8, 8), jnp.float32)
  auto, plain = (
    operations(gradients(Conv(16, 3, form=form), x, 1).lower().as_text())
    for form in ('auto', 'xla')
  )
  assert auto != plain


@pytest.mark.parametrize('side, stride', [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_on_a_cpu_a_small_image_stays_the_image(side, stride):
  x = jax.ShapeDtypeStruct((2, side, side, 8), jnp.float32)

  def labels(form):
    traced = gradients(Conv(16, 3, stride=stride, form=form), x, 1)
    text = traced.lower().compile().as_text()
    return re.findall(r' convolution\(.*dim_labels=(\w+->\w+)', text)

  assert labels('auto') == ['b01f_01io->b01f'] * 3
  # XLA's own exchange them, which ends in naive loops.
  assert any(label.startswith('01') for label in labels('xla'))
