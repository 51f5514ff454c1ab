"""What a budget, a schedule and a data set ask for: the model to train."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from resflax import path, rules
from resflax.errors import UsageError
from resflax.path import Point
from resflax.rules import Decided
from resflax.scaling import are_equal

_WIDEST = 64  # eighths of the width


class Plan(NamedTuple):
  """The model that the rules choose.

  Attributes:
    point: the model and its resolution.
    growth: `depth`, `width` or `undecided`; the last follows depth, the
      published path.
    epochs: passes over the unique examples.
    macs: the budget, of one image.
    latency_ms: the budget where there is no other, of a training step of 128
      images on a core of a TPU v3.
  """

  point: Point
  growth: Decided
  epochs: float
  macs: int | float | None = None
  latency_ms: int | float | None = None

  @property
  def budget(self) -> str:
    """The budget with its unit."""
    if self.macs is None:
      return f'{self.latency_ms:g} ms on TPU v3'
    return f'{self.macs / 1e9:,.4g} GMAC'

  def shape(self) -> dict[str, Decided]:
    """Returns the fields of the model and its resolution."""
    why = f'ResNet-RS path (ours) within {self.budget}: {self.point.source}'
    if self.macs is None and self.point.width != 1:
      why += ', by the MACs of the deep net of that time'
    return {
      'model.depths': Decided(self.point.depths, why),
      'model.width': Decided(self.point.width, f'{why}; {self.growth.reason}'),
      'resolution.train': Decided(self.point.resolution, why),
    }

  def pair(self) -> tuple[Point, Point]:
    """Returns the two nets that would decide where growth is undecided.

    The deep one, and of its resolution a wider and shallower one of its MACs:
    of 101 layers as in section 4.2, or of fewer where none comes near.
    """
    deep = self.point
    rows = ((1, 1, 1, 1), path.SMALLEST[0], *path.ROWS[:2])
    nearest = [
      min(_wider(deep, row), key=lambda p: _apart(p, deep))
      for row in reversed(rows)
      if sum(row) < sum(deep.depths)
    ]
    near = [wide for wide in nearest if are_equal(wide.macs, deep.macs)]
    return deep, (near or nearest)[0]

  def excess(self, point: Point) -> str:
    """Returns what a point costs, where that is beyond the budget."""
    if self.macs is None:
      part = point.milliseconds / self.latency_ms
      cost = f'{point.milliseconds:.4g} ms'
    else:
      part, cost = point.macs / self.macs, f'{point.macs / 1e9:.4g} GMAC'
    if part <= path.TOLERANCE:
      return ''
    return f'what is set makes the net cost {cost}, above {self.budget}'


def _wider(deep: Point, depths: tuple[int, ...]) -> Iterator[Point]:
  for eighths in range(9, _WIDEST):
    yield Point(depths, deep.resolution, eighths / 8, path.EXTRAPOLATED)


def _apart(one: Point, other: Point) -> float:
  return abs(math.log(one.macs / other.macs))


def regularisers(point: Point, epochs: float) -> dict[str, Decided]:
  """Returns the fields that follow from a model and the length of its run.

  Args:
    point: the model that is trained, whether a rule chose it or not.
    epochs: passes over the unique examples.
  """
  return {
    'model.dropout_rate': rules.dropout(point, epochs),
    'model.stochastic_depth_rate': rules.stochastic_depth(point, epochs),
    'augment.randaugment.layers': rules.randaugment_layers(epochs),
    'augment.randaugment.magnitude': rules.randaugment_magnitude(point),
    'loss.label_smoothing': rules.label_smoothing(epochs),
  }


def plan_for(
  *,
  epochs: int | float,
  macs: int | float | None = None,
  latency_ms: int | float | None = None,
  grow: str = 'auto',
) -> Plan:
  """Returns the largest model of the family within a budget.

  Args:
    epochs: passes over the unique examples.
    macs: of one image.
    latency_ms: of a training step of 128 images on a core of a TPU v3; a wide
      net is given the MACs of the deep one of that time.
    grow: `depth` or `width`; `auto` follows the length of the run.

  Raises:
    UsageError: no budget or two of them, or one that is too small.
  """
  if (macs is None) == (latency_ms is None):
    given = 'no budget' if macs is None else 'two budgets'
    raise UsageError(
      f'config.scaling.rule=resnet_rs has {given}: set one of '
      'config.scaling.macs (of one image) and config.scaling.latency_ms (TPU '
      'v3, 128 images a core).'
    )
  growth = rules.growth(epochs)
  if grow != 'auto':
    growth = Decided(grow, f'config.scaling.grow={grow}')
  wide = growth.value == 'width'
  if macs is None:
    point = path.for_budget(latency_ms, cost=lambda p: p.milliseconds)
    point = path.wide_for_budget(point.macs) if wide else point
  else:
    point = path.wide_for_budget(macs) if wide else path.for_budget(macs)
  return Plan(point, growth, epochs, macs, latency_ms)
