"""A config's update rule and learning rate."""

from collections.abc import Callable, Sequence

from resflax.config import Resolved
from resflax.models.layout import is_stacked
from resflax.resolution import Stage
from resflax.training.layerwise import Factors, scaled
from resflax.training.optimizers import (
  USED_BY,
  WHOLE_LEAVES,
  Rule,
  make_optimizer,
)
from resflax.training.schedules import learning_rate, linear_in_batch


def update_rule(resolved: Resolved, factors: Factors) -> Rule:
  """Returns the update rule, without the learning rate."""
  name = resolved['optimizer.name']
  rule = make_optimizer(
    name,
    **{field: resolved[f'optimizer.{field}'] for field in USED_BY[name]},
    **({'is_stacked': is_stacked} if name in WHOLE_LEAVES else {}),
  )
  return scaled(rule, factors) if factors else rule


def rate_of(resolved: Resolved, stages: Sequence[Stage]) -> Callable:
  """Returns the learning rate of a step."""
  get = resolved.values
  schedule = learning_rate(
    get['schedule.name'],
    peak=get['optimizer.peak_lr'],
    total_steps=get['schedule.total_steps'],
    warmup_steps=get['schedule.warmup_steps'],
    drops=get['schedule.drops'],
    drop_factor=get['schedule.drop_factor'],
  )
  return linear_in_batch(schedule, stages)
