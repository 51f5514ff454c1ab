"""Which axis a sweep says to grow: depth or width, and resolution how fast.

Measured evidence only; where it does not decide, the answer is `undecided`. The
prior from the paper, for those without a sweep, is `rules.growth`.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from resflax.rules import UNDECIDED, Decided
from resflax.sweeps.held_out import new_points
from resflax.sweeps.law import NotIdentified, estimated
from resflax.sweeps.overfitting import pairs
from resflax.sweeps.points import Point
from resflax.sweeps.telling import difference

_LEVEL = 0.95  # of the resolution's exponent
_MOST_PAIRS = 6  # that are told
_LEAST_SLOPE = 4  # points on the frontier, for a slope with an interval


def growth(
  points: Sequence[Point],
  anchor: Point,
  found: Mapping,
  options: Mapping,
) -> Decided:
  """Returns `depth`, `width` or `undecided`, and the evidence.

  Pairs of equal cost count first; without any, the families that grow along
  one axis, where both have reached an equal compute.

  Args:
    points: of the sweep.
    anchor: what grows; only runs of its data and length count.
    found: what `analyse` says, with `depth_or_width`.
    options: of `estimated`.
  """
  verdicts = zip(pairs(points), found['depth_or_width'], strict=True)
  rows = [row for (deep, _), row in verdicts if deep.group == anchor.group]
  if rows:
    return _of_pairs(rows)
  members = [
    _members(points, anchor, found['laws'][axis]['points'])
    for axis in ('depth', 'width')
  ]
  return _of_families(*members, found, options)


def _of_pairs(rows: Sequence[Mapping]) -> Decided:
  """Returns what pairs of equal cost agree on."""
  told = '; '.join(
    f'{row["wide"]} minus {row["deep"]} {difference(row["held_out"])}'
    for row in rows[:_MOST_PAIRS]
  )
  if len(rows) > _MOST_PAIRS:
    told += f'; and {len(rows) - _MOST_PAIRS} more pairs'
  told = f'held-out cross-entropy at equal MACs: {told}'
  told_by = [row['grow'] for row in rows if row['grow'] != UNDECIDED]
  if len(set(told_by)) > 1:
    return Decided(UNDECIDED, f'pairs disagree; {told}')
  if told_by and 2 * len(told_by) >= len(rows):
    return Decided(told_by[0], told)
  if told_by:  # of many intervals of 95 %, some leave out zero by chance
    few = f'{told_by[0]} by {len(told_by)} of {len(rows)} pairs alone'
    return Decided(UNDECIDED, f'{few}; {told}')
  unseen = any(row['train'] is None for row in rows)
  hint = ' (scripts.fit --train_loss would look for overfitting)'
  return Decided(UNDECIDED, told + (hint if unseen else ''))


def _members(points, anchor: Point, chosen: Sequence[int]) -> list[Point]:
  family = [points[i] for i in chosen if points[i].group == anchor.group]
  return sorted(family, key=lambda point: point.compute)


def _of_families(deep, wide, found: Mapping, options: Mapping) -> Decided:
  """Returns which axis, grown alone, came further at an equal compute."""
  alone = 'no two nets of equal MACs, one deeper and one wider'
  metric, level = found['metric'], found['level']
  try:
    laws = [estimated(family, metric, **options) for family in (deep, wide)]
  except NotIdentified as error:
    reason = f'{alone}, and no law of both axes ({error})'
    return Decided(UNDECIDED, reason)
  at = min(deep[-1].compute, wide[-1].compute)
  said = [new_points(*law, np.array([at]), level) for law in laws]
  (_, deep_low, deep_high), (_, wide_low, wide_high) = said
  told = f'{alone}; grown alone to {at:.2g} FLOPs, ' + ', '.join(
    f'{axis} comes to {value[0]:.4g} ({low[0]:.4g} to {high[0]:.4g})'
    for axis, (value, low, high) in zip(('depth', 'width'), said, strict=True)
  )
  if deep_high < wide_low:
    return Decided('depth', told)
  if wide_high < deep_low:
    return Decided('width', told)
  return Decided(UNDECIDED, told)


def resolution(
  points: Sequence[Point], times: int | float
) -> tuple[float, str]:
  """Returns by how much the resolution grows with the cost, and why.

  The exponent is that of the frontier: a line through log resolution over log
  compute, as Hoffmann et al. 2022, approach 1, have it for parameters. It
  counts where Student's 95 % interval leaves out zero.

  Args:
    points: of the frontier.
    times: how much more the next run costs.
  """
  sizes = sorted({point.resolution for point in points})
  if len(points) < _LEAST_SLOPE or len(sizes) < 2:
    seen = f'{sizes[0]} px' if len(sizes) == 1 else f'{len(points)} points'
    return 1.0, f'the frontier has {seen} alone: as it is'
  line = stats.linregress(
    [math.log(point.compute) for point in points],
    [math.log(point.resolution) for point in points],
  )
  t = stats.t.ppf((1 + _LEVEL) / 2, len(points) - 2)
  told = (
    f'on the frontier it grows as compute^{line.slope:.2f} ± '
    f'{t * line.stderr:.2f}'
  )
  if line.slope - t * line.stderr <= 0:
    return 1.0, f'{told}, which may be none: as it is'
  return times**line.slope, told
