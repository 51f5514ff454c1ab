"""The ResNet-RS rules: from budget, schedule and data to a config's fields.

Source: Bello et al. 2021; the paper gives findings and tables, and no closed
form. Each rule says which part is the paper's and which is ours.
"""

import math
from typing import NamedTuple

from resflax.path import PUBLISHED, Point

# Passes over the data from which a run is long: the paper's grids of 10 and
# 100 epochs have no regulariser, its 350 epochs have all (appendix B).
LONG = 250
LONGEST = 350  # epochs, that the paper trains
# Between the two, the wide and the deep net are within the reading error of
# figure 3 (0.15 points): deep minus wide is about 0.28 ln(E / 54) for 200
# layers against width 1.5, and 0.51 ln(E / 57) for 300 against 2.
WIDTH_UNTIL, DEPTH_FROM = 40, 100

# What the published recipe's decay acts on: peak rate 1.6, 109,475 steps.
_REFERENCE = 1.6 * 109_475


UNDECIDED = 'undecided'  # beside `depth` and `width`


class Decided(NamedTuple):
  """A value, and why."""

  value: object
  reason: str


def growth(epochs: int | float) -> Decided:
  """Returns whether `depth` or `width` should grow, or `undecided`.

  Deeper where a run can overfit, wider where it cannot (section 4.2). The two
  limits are ours, read off figure 3, and calibrated on ImageNet alone.

  Args:
    epochs: passes over the unique examples.
  """
  sees = f'{epochs:,.4g} epochs'
  if epochs >= DEPTH_FROM:
    beyond = ', extrapolated' if epochs > LONGEST else ''
    reason = f'{sees} can overfit (from {DEPTH_FROM} on, ours{beyond})'
    return Decided('depth', reason)
  if epochs <= WIDTH_UNTIL:
    reason = f'{sees} cannot overfit (up to {WIDTH_UNTIL}, ours)'
    return Decided('width', reason)
  return Decided(
    UNDECIDED,
    f'{sees} lie between {WIDTH_UNTIL} and {DEPTH_FROM}, where deep and wide '
    'are equal within reading error: run both',
  )


def dropout(point: Point, epochs: int | float) -> Decided:
  """Returns the rate of dropout before the classifier, from the table."""
  if point.resolution >= 320:
    decided = Decided(0.4, _table('from 320 pixels on', point))
  else:
    decided = Decided(0.25, _table('below 320 pixels', point))
  return _of_long(epochs, decided)


def stochastic_depth(point: Point, epochs: int | float) -> Decided:
  """Returns the drop rate of the deepest block, from the table."""
  if sum(point.depths) >= 66:
    decided = Decided(0.1, _table('from 66 blocks (200 layers) on', point))
  else:
    decided = Decided(0.0, _table('below 66 blocks (200 layers)', point))
  return _of_long(epochs, decided)


def randaugment_layers(epochs: int | float) -> Decided:
  """Returns how many operations RandAugment applies."""
  return _of_long(epochs, Decided(2, 'ResNet-RS'))


def randaugment_magnitude(point: Point) -> Decided:
  """Returns the strength of RandAugment, from the table."""
  if point.resolution <= 160:
    return Decided(10.0, _table('up to 160 pixels', point))
  return Decided(15.0, _table('above 160 pixels', point))


def label_smoothing(epochs: int | float) -> Decided:
  """Returns the mass that is spread over all classes."""
  return _of_long(epochs, Decided(0.1, 'ResNet-RS'))


def weight_decay(
  epochs: int | float, *, regularised: bool, peak_lr: int | float, steps: int
) -> Decided:
  """Returns the weight decay, less of it beside other regularisers.

  4e-5 with dropout or stochastic depth, 1e-4 without (table 2). That a long
  run of another length, rate or batch holds rate x decay x steps is ours, and
  so is that a short one, which has no regulariser unless one is set, does not;
  the result is rounded to two digits.

  Args:
    epochs: passes over the unique examples.
    regularised: whether dropout or stochastic depth is on.
    peak_lr: of the schedule, above 0.
    steps: of the run.
  """
  if epochs < LONG and not regularised:
    return Decided(1e-4, f'{_short(epochs)}; as ResNet (He et al. 2015)')
  published = 4e-5 if regularised else 1e-4
  decay = published * _REFERENCE / (peak_lr * steps)
  reason = (
    'table 2 with dropout or stochastic depth'
    if regularised
    else 'table 2 without dropout and stochastic depth'
  )
  if epochs < LONG:
    held = f'held to no length below {LONG} epochs (ours)'
    return Decided(published, f'{reason}, which is set; {held}')
  return Decided(
    _two_digits(decay),
    f'{published:g}, {reason}; rate x decay x steps held at '
    f'{published * _REFERENCE:.3g} (ours)'
    + ('' if 4e-5 <= _two_digits(decay) <= 1e-4 else ', extrapolated'),
  )


def _two_digits(x: float) -> float:
  digits = 1 - math.floor(math.log10(x))
  return round(x, digits)


def _of_long(epochs: int | float, decided: Decided) -> Decided:
  """Returns what a regulariser is in long runs; short ones have none."""
  if epochs >= LONG:
    return decided
  return Decided(type(decided.value)(0), _short(epochs))


def _short(epochs: int | float) -> str:
  return f'no regulariser in {epochs:,.4g} epochs, fewer than {LONG} (ours)'


def _table(where: str, point: Point) -> str:
  """Says which rows of the authors' table, whose limits are read off it."""
  beside = '' if point.source == PUBLISHED else f'; this net is {point.source}'
  return f'ResNet-RS {where} (limit ours){beside}'
