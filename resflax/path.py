"""The path of ResNet-RS: from a budget to depth, width and resolution.

Bello et al. 2021 publish eleven models and no rule. What is theirs here: the
rows of blocks, the resolutions, the eleven points (table 7), and "raise the
image resolution slowly" (section 4.3). What is ours: the law of two constants
that walks them in their order, and what lies between and beyond. The law was
fitted to the family; it does not predict another one.
"""

import bisect
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from resflax import scaling
from resflax.errors import UsageError
from resflax.published import TPU_V3_MS
from resflax.variants import VARIANTS

RESOLUTIONS = (160, 192, 224, 256, 320)
NAMES = tuple(
  f'resnet_rs_{depth}' for depth in (50, 101, 152, 200, 270, 350, 420)
)
# Blocks of the stages. Source: Bello et al. 2021, appendix D.
ROWS = tuple(tuple(VARIANTS[name]['depths']) for name in NAMES)
SMALLEST = tuple(VARIANTS['resnet_rs_26']['depths']), 128

# Pixels that a net of one GMAC is given, and the exponent. Exponents from
# 0.210 to 0.223, each with its constant, give the same path.
_CONSTANT, _EXPONENT = 142.2, 0.215
# Published costs are rounded: four of the eleven lie above their own.
TOLERANCE = 1.01
_NEARLY_ALL = 0.95
_DEEPER_FROM = 4.6e9  # MACs from which a wide net has 101 layers, not 50
_FAR = 100  # times the largest published cost, beyond which a budget is a slip

PUBLISHED = 'published'
INTERPOLATED = 'between published points'
EXTRAPOLATED = 'extrapolated'
SET = 'not of the path'


class Point(NamedTuple):
  """A model of the family at a resolution.

  Attributes:
    depths: blocks of the stages.
    resolution: pixels a side, in training.
    width: multiplies all features.
    source: PUBLISHED, INTERPOLATED, EXTRAPOLATED, SET or the last two.
  """

  depths: tuple[int, ...]
  resolution: int
  width: float = 1.0
  source: str = PUBLISHED

  @property
  def is_far(self) -> bool:
    """Whether a part of it lies outside of the published ones."""
    first, *_, last = published()
    return (
      not first.resolution <= self.resolution <= last.resolution
      or not sum(first.depths) <= sum(self.depths) <= sum(last.depths)
      or self.width != 1
    )

  @property
  def layers(self) -> int:
    """Convolutions and the classifier, as papers count: 3 a block, and 2."""
    return 3 * sum(self.depths) + 2

  @property
  def macs(self) -> int:
    """Multiply-accumulates of one image, with 1,000 classes."""
    return _macs(self.depths, self.resolution, self.width)

  @property
  def milliseconds(self) -> float:
    """A training step of 128 images on a core of a TPU v3.

    Published where the point is; between, by the power law in MACs through
    the two next to it.
    """
    known = sorted((p.macs, TPU_V3_MS[p.key]) for p in published())
    index = bisect.bisect([macs for macs, _ in known], self.macs)
    index = min(max(index, 1), len(known) - 1)
    (m0, t0), (m1, t1) = known[index - 1], known[index]
    slope = math.log(t1 / t0) / math.log(m1 / m0)
    return t0 * (self.macs / m0) ** slope

  @property
  def key(self) -> tuple[str, int]:
    """Name and resolution of a published point."""
    return NAMES[ROWS.index(self.depths)], self.resolution


@functools.cache
def _macs(depths: tuple[int, ...], resolution: int, width: float) -> int:
  fields = {'variant': 'resnet_rs_50', 'depths': depths, 'width': width}
  return scaling.totals(scaling.count(fields, resolution)).macs


def is_of_family(variant: str) -> bool:
  """Whether a variant is a ResNet-RS, which the path is of."""
  return variant.startswith('resnet_rs_')


def resolution_law(macs: int | float) -> float:
  """Returns the pixels a side that a net of so many MACs is given."""
  return _CONSTANT * (macs / 1e9) ** _EXPONENT


def published() -> Iterator[Point]:
  """Yields the eleven published points, as the law walks them.

  The resolution is raised as soon as the net of the raised one would still
  lie on the law; else depth grows.
  """
  row, size = 0, 0
  while True:
    yield Point(ROWS[row], RESOLUTIONS[size])
    if size + 1 < len(RESOLUTIONS):
      raised = Point(ROWS[row], RESOLUTIONS[size + 1])
      if raised.resolution <= resolution_law(raised.macs):
        size += 1
        continue
    row += 1
    if row == len(ROWS):
      return


def for_budget(
  budget: int | float,
  cost: Callable[[Point], int | float] = lambda point: point.macs,
) -> Point:
  """Returns the deepest point of the path within a budget.

  Args:
    budget: in the unit of the cost; a published point may exceed it by a
      hundredth, for published costs are rounded.
    cost: of a point; by default its MACs.

  Raises:
    UsageError: the smallest net costs more, or the budget is a slip.
  """
  depths, resolution = SMALLEST
  start = Point(depths, resolution, source=EXTRAPOLATED)
  most = TOLERANCE * budget
  if cost(start) > most:
    raise UsageError(
      f'A budget of {budget:,.4g} is too small: the smallest net, '
      f'{start.layers} layers at {resolution} pixels, costs '
      f'{cost(start):,.4g} (config.scaling).'
    )
  fitting = [p for p in (start, *published()) if cost(p) <= most]
  best = last = fitting[-1]
  if cost(best) >= _NEARLY_ALL * budget:
    return best
  _refuse_far(budget, cost)

  def grown(blocks: int) -> Point:
    source = _source(blocks, last)
    return Point(depths_of(blocks), last.resolution, source=source)

  first = sum(last.depths)
  over = 2 * first
  while cost(grown(over)) <= budget:
    over *= 2
  fits = bisect.bisect_right(
    range(first + 1, over), budget, key=lambda blocks: cost(grown(blocks))
  )
  return grown(first + fits) if fits else best


def _refuse_far(
  budget: int | float, cost: Callable[[Point], int | float]
) -> None:
  *_, largest = published()
  if budget > _FAR * cost(largest):
    raise UsageError(
      f'A budget of {budget:,.4g} is {budget / cost(largest):,.4g} times the '
      f'largest published model, and {_FAR} times is the most (config.scaling):'
      ' macs are those of one image, latency_ms of a step of 128.'
    )


def _source(blocks: int, start: Point) -> str:
  inside = start.source == PUBLISHED and blocks <= sum(ROWS[-1])
  return INTERPOLATED if inside else EXTRAPOLATED


def depths_of(blocks: int) -> tuple[int, ...]:
  """Returns the stages of a net of so many blocks, 8 and more.

  A published row where there is one, and between two of them stages that
  grow evenly, the third taking what is left; beyond 139 blocks, the first and
  the last stage stay at 4 and the second has half as many as the third.
  """
  rows = (SMALLEST[0], *ROWS)
  sums = [sum(row) for row in rows]
  if blocks > sums[-1]:
    second = round((blocks - 8) / 3)
    return (4, second, blocks - 8 - second, 4)
  above = bisect.bisect_left(sums, blocks)
  if sums[above] == blocks:
    return rows[above]
  low, high = rows[above - 1], rows[above]
  part = (blocks - sums[above - 1]) / (sums[above] - sums[above - 1])
  first, second, _, last = (
    int(a + part * (b - a)) for a, b in zip(low, high, strict=True)
  )
  return (first, second, blocks - first - second - last, last)


def wide_for_budget(macs: int | float) -> Point:
  """Returns the wide net of a budget, for runs too short to overfit.

  The resolution of the law, 101 layers (50 below 4.6 GMAC), and the largest
  multiple of an eighth of the width that fits, so features stay multiples of
  8. Where the resolution or the depth has just grown and the net came out
  cheaper, that of a smaller budget is kept. From 2 GMAC on, three quarters of
  a budget are used at least.

  Source: ours; section 4.2 of the paper has the finding (width where a run
    is short), figure 3 its widths.

  Raises:
    UsageError: an eighth of the width costs more, or the budget is a slip.
  """
  _refuse_far(macs, lambda point: point.macs)
  turns = [_DEEPER_FROM, *map(_law_reaches, RESOLUTIONS)]
  before = [(1 - 1e-9) * turn for turn in turns if turn < macs]
  return max(map(_widest, [macs, *before]), key=lambda point: point.macs)


def _law_reaches(resolution: int) -> float:
  """Returns the MACs from which `resolution_law` is so many pixels."""
  return 1e9 * (resolution / _CONSTANT) ** (1 / _EXPONENT)


def _widest(macs: int | float) -> Point:
  law = resolution_law(macs)
  sizes = (SMALLEST[1], *RESOLUTIONS)
  resolution = max([size for size in sizes if size <= law] or sizes[:1])
  depths = ROWS[0] if macs < _DEEPER_FROM else ROWS[1]
  best = None
  for eighths in itertools.count(1):
    point = Point(depths, resolution, eighths / 8, EXTRAPOLATED)
    if point.macs > macs:
      break
    best = point
  if best is None:
    raise UsageError(
      f'A budget of {macs:,.4g} MACs is too small: 1/8 of the width costs '
      f'{point.macs:,} (config.scaling).'
    )
  return best
