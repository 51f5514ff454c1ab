"""What the next run may cost, and how far a law reaches."""

from typing import NamedTuple

from resflax.errors import UsageError
from resflax.sweeps.forecast import Forecast
from resflax.sweeps.points import Point

TIMES = 4  # the compute of the sweep's largest run, where no budget is given
OVER = 1.01  # of a budget: those that people give are rounded


class Budget(NamedTuple):
  """What may be spent, or has to be reached; one of them, or none.

  Attributes:
    flops: of training.
    macs: of an image.
    error: to come down to; cross-entropy where that is the metric.
  """

  flops: int | float | None = None
  macs: int | float | None = None
  error: int | float | None = None


def limit_of(budget: Budget, law: Forecast) -> tuple[int | float, str, str]:
  """Returns a budget, which part of a `Cost` it limits, and its words.

  Raises:
    UsageError: two budgets, or one that is too far away.
  """
  given = [name for name in Budget._fields if getattr(budget, name) is not None]
  if len(given) > 1:
    raise UsageError(
      f'Two budgets, {" and ".join(given)}: give one of --flops, --error and '
      'config.scaling.macs.'
    )
  if budget.macs is not None:
    return budget.macs, 'macs', f'{budget.macs / 1e9:,.4g} GMAC an image'
  if budget.flops is not None:
    flops, words = budget.flops, f'{budget.flops:.3g} FLOPs of training'
  elif budget.error is not None:
    flops = law.compute_for(budget.error)
    words = f'{budget.error:g} to be reached, by the law at {flops:.3g} FLOPs'
  else:
    flops = TIMES * law.points[-1].compute
    words = f'{TIMES} times the largest run, {flops:.3g} FLOPs of training'
  return flops, 'compute', words


def check_reach(anchor: Point, times: int | float, law: Forecast) -> None:
  """Refuses what lies farther beyond the sweep than that is wide.

  Args:
    anchor: of the sweep, that grows.
    times: as much compute as it.
    law: of the sweep.

  Raises:
    UsageError: it does.
  """
  flops = times * anchor.compute
  beyond = law.beyond(flops)
  if beyond > law.decades:
    raise UsageError(
      f'{flops:.3g} FLOPs lie {beyond:.1f} decades beyond a sweep of '
      f'{law.decades:.1f}: no law is to be trusted so far. Ask for '
      f'{law.largest * 10**law.decades:.2g} at most, or train larger runs '
      'first.'
    )
