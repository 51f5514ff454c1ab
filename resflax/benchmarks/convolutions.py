"""3x3 windows that are ours, against what XLA and autodiff have."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from resflax.benchmarks.measure import Row, interleave
from resflax.models.conv import Window, convolution, plain
from resflax.models.pooling import max_pool

# ResNeXt-50 32x4d at 224 pixels: (input side, features, stride).
SHAPES = (
  (56, 128, 1),
  (56, 256, 2),
  (28, 256, 1),
  (28, 512, 2),
  (14, 512, 1),
  (14, 1024, 2),
  (7, 1024, 1),
)
GROUPS = 32
BATCH = 4
# Last stages of small nets, where the image is smaller than the kernel.
SMALL = ((1, 128, 1), (2, 128, 1), (2, 128, 2), (3, 128, 2))
SMALL_BATCH = 64
# Stems at 224 pixels, and at 96 of a quarter of the width: (batch, side,
# features).
POOLS = ((4, 112, 64), (64, 48, 16))


def run(*, quick: bool) -> Iterator[Row]:
  """Times forward and backward pass of each; quick leaves most out."""
  for shape in SHAPES[3:5] if quick else SHAPES:
    yield from _compared(shape, GROUPS, BATCH, '>= 50')
  for shape in SMALL[1:2] if quick else SMALL:
    yield from _compared(shape, 1, SMALL_BATCH)
  for shape in POOLS[1:] if quick else POOLS:
    yield from _pooled(*shape)


def _pooled(batch: int, side: int, features: int) -> Iterator[Row]:
  x = np.random.default_rng(0).normal(size=(batch, side, side, features))
  x = jnp.asarray(np.maximum(x, 0), jnp.float32)  # as behind a ReLU
  programs = {}
  for form in ('xla', 'auto'):
    pool = functools.partial(max_pool, padding='symmetric', form=form)
    programs[form] = _both_ways(pool, x)
  times = interleave(programs, repeats=7)
  name = f'max pooling of {side} px, {features} features, batch {batch}'
  yield from _rows(name, times['xla'].cpu_s, times['auto'].cpu_s)


def _compared(
  shape: tuple[int, int, int], groups: int, batch: int, aim: str = ''
) -> Iterator[Row]:
  side, features, stride = shape
  name = f'{side} px, {features} features, stride {stride}'
  name += f', {groups} groups' if groups > 1 else ''
  times = interleave(
    {
      form.__name__: _program(form, shape, groups, batch)
      for form in (plain, convolution)
    },
    repeats=3,
  )
  direct, ours = times['plain'].cpu_s, times['convolution'].cpu_s
  yield from _rows(name, direct, ours, aim)


def _rows(
  name: str, direct: float, ours: float, aim: str = ''
) -> Iterator[Row]:
  yield Row(f'autodiff: {name}', direct, 'CPU-s')
  yield Row(f'ours: {name}', ours, 'CPU-s', direct / ours, 'speed-up', aim)


def _program(form, shape: tuple[int, int, int], groups: int, batch: int):
  side, features, stride = shape
  window = Window(stride, 1, ((1, 1), (1, 1)), groups)
  rng = np.random.default_rng(0)
  x = rng.normal(size=(batch, side, side, features)).astype(np.float32)
  kernel = rng.normal(size=(3, 3, features // groups, features))

  return _both_ways(
    lambda *a: form(*a, window),
    jnp.asarray(x),
    jnp.asarray(kernel, jnp.float32),
  )


def _both_ways(function, *args):
  @jax.jit
  def both(*args):
    y, pull_back = jax.vjp(function, *args)
    return pull_back(y)

  return functools.partial(both, *args)
