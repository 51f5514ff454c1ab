"""What a budget, a schedule and a data set ask for: the model to train."""

from typing import NamedTuple

from resflax import path, rules
from resflax.errors import UsageError
from resflax.path import Point
from resflax.rules import Decided


class Plan(NamedTuple):
  """The model that the rules choose.

  Attributes:
    point: the model and its resolution.
    budget: as it was given.
    growth: `depth`, `width` or `undecided`; the last follows depth, the
      published path.
    epochs: passes over the unique examples.
  """

  point: Point
  budget: str
  growth: Decided
  epochs: float

  def fields(self) -> dict[str, Decided]:
    """Returns the fields of a config that follow, each with its reason."""
    point = self.point
    why = f'ResNet-RS path within {self.budget}: {point.source}'
    return {
      'model.depths': Decided(point.depths, why),
      'model.width': Decided(point.width, f'{why}; {self.growth.reason}'),
      'resolution.train': Decided(point.resolution, why),
      'model.dropout_rate': rules.dropout(point, self.epochs),
      'model.stochastic_depth_rate': rules.stochastic_depth(point, self.epochs),
      'augment.randaugment.layers': rules.randaugment_layers(self.epochs),
      'augment.randaugment.magnitude': rules.randaugment_magnitude(point),
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
    latency_ms: of a training step of 128 images on a core of a TPU v3.
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
    budget = f'{latency_ms:g} ms on TPU v3'
    point = path.for_budget(latency_ms, cost=lambda p: p.milliseconds)
    if wide:
      budget += ', by the MACs of the deep net of so many'
      point = path.wide_for_budget(point.macs)
  else:
    budget = f'{macs / 1e9:,.4g} GMAC'
    point = path.wide_for_budget(macs) if wide else path.for_budget(macs)
  return Plan(point, budget, growth, epochs)
