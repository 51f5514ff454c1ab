"""Grouped 3x3 convolutions: ours against what autodiff writes."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from resflax.benchmarks.measure import Row, interleave
from resflax.models.conv import Window, convolution, plain

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


def run(*, quick: bool) -> Iterator[Row]:
  """Times forward and backward pass of each; quick leaves most out."""
  for side, features, stride in SHAPES[3:5] if quick else SHAPES:
    name = f'{side} px, {features} features, stride {stride}'
    times = interleave(
      {
        form.__name__: _program(form, side, features, stride)
        for form in (plain, convolution)
      },
      repeats=3,
    )
    direct, ours = times['plain'].cpu_s, times['convolution'].cpu_s
    yield Row(f'autodiff: {name}', direct, 'CPU-s')
    yield Row(
      f'ours: {name}', ours, 'CPU-s', direct / ours, 'speed-up', '>= 50'
    )


def _program(form, side: int, features: int, stride: int):
  window = Window(stride, 1, ((1, 1), (1, 1)), GROUPS)
  rng = np.random.default_rng(0)
  x = rng.normal(size=(BATCH, side, side, features)).astype(np.float32)
  kernel = rng.normal(size=(3, 3, features // GROUPS, features))

  @jax.jit
  def both(x, kernel):
    y, pull_back = jax.vjp(lambda *a: form(*a, window), x, kernel)
    return pull_back(y)

  return functools.partial(
    both, jnp.asarray(x), jnp.asarray(kernel, jnp.float32)
  )
