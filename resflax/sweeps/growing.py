"""From a shape to larger ones, a step at a time, as far as a budget goes."""

import math
from collections.abc import Callable

from resflax.scaling import are_equal
from resflax.sweeps.recipe import Shape

_LEAST_STEP = 1 / 32  # of width
_LARGER = 1.5  # times the MACs of what they start from


def deeper(start: Shape, shape: Shape) -> Shape:
  """Returns the shape with its longest stage a block longer.

  Or a sixteenth, which is more from 32 blocks on. The other stages keep the
  proportions of the start.
  """
  longest = max(shape.depths)
  times = (longest + max(1, longest // 16)) / max(start.depths)
  longer = tuple(max(1, math.floor(d * times + 0.5)) for d in start.depths)
  return shape._replace(depths=longer)


def wider(shape: Shape) -> Shape:
  """Returns the shape an eighth of the power of two in its width wider."""
  step = max(_LEAST_STEP, 2.0 ** math.floor(math.log2(shape.width)) / 8)
  return shape._replace(width=shape.width + step)


def grown(
  start: Shape, grow: str, fits: Callable[[Shape], bool]
) -> tuple[Shape, Shape]:
  """Returns the largest shape that fits, and the first one that does not.

  Args:
    start: fits.
    grow: `depth` or `width`; else both, whichever has grown less.
    fits: says so of a shape.
  """
  shape = start
  while True:
    steps = _steps(start, shape, grow)
    fitting = [step for step in steps if fits(step)]
    if not fitting:
      return shape, steps[0]
    shape = fitting[0]


def _steps(start: Shape, shape: Shape, grow: str) -> list[Shape]:
  """Returns the next shapes, the one to be preferred first."""
  if grow == 'depth':
    return [deeper(start, shape)]
  if grow == 'width':
    return [wider(shape)]
  by_depth = sum(shape.depths) / sum(start.depths)
  by_width = (shape.width / start.width) ** 2
  both = [deeper(start, shape), wider(shape)]
  return both if by_depth <= by_width else both[::-1]


def would_decide(
  start: Shape, macs: Callable[[Shape], int]
) -> tuple[Shape, Shape] | None:
  """Returns a deep and a wide shape of equal MACs, to be run by equal seeds.

  A little larger than the start; None where no width has the depth's MACs.
  """
  deep = below = wide = start
  while macs(deep) < _LARGER * macs(start):
    deep = deeper(start, deep)
  while macs(wide) < macs(deep):
    below, wide = wide, wide._replace(width=wide.width + _LEAST_STEP / 2)
  nearest = min(
    (below, wide), key=lambda s: abs(math.log(macs(s) / macs(deep)))
  )
  return (deep, nearest) if are_equal(macs(nearest), macs(deep)) else None
