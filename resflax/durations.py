"""Durations of a config: steps from whichever unit is set."""

from resflax.errors import UsageError
from resflax.resolved import Resolved


def derive_durations(resolved: Resolved, epoch_examples: int | float) -> None:
  """Decides each duration in steps.

  Args:
    resolved: gets `schedule.total_steps` and the like.
    epoch_examples: that an epoch has.

  Raises:
    UsageError: the run has no length, or one thing has two.
  """
  epoch = epoch_examples / resolved['batch_size']
  total = _duration(resolved, 'schedule.total', epoch)
  if not total:
    raise UsageError(
      'The run has no length: set one of config.schedule.total_steps, '
      'config.schedule.total_epochs, config.schedule.total_examples.'
    )
  for name in ('schedule.warmup', 'log_every', 'eval_every'):
    _duration(resolved, name, epoch, total)


def _duration(
  resolved: Resolved, name: str, epoch: float, total: int = 0
) -> int:
  """Decides `NAME_steps` from whichever unit is set; nothing set is 0."""
  units = {
    'steps': 1.0,
    'epochs': epoch,
    'examples': 1 / resolved['batch_size'],
    'percent': total / 100,
  }
  given = {
    f'{name}_{unit}': steps
    for unit, steps in units.items()
    if resolved.values.get(f'{name}_{unit}') is not None
  }
  if len(given) > 1:
    first, second, *_ = (f'config.{path}={resolved[path]}' for path in given)
    raise UsageError(
      f'{first} and {second} are two durations for one thing: keep one and '
      f'unset the other, e.g. --config.{list(given)[-1]}=None.'
    )
  for path, steps in given.items():
    amount = resolved[path]
    count = max(1, round(amount * steps)) if amount else 0
    unit = path.rsplit('_', 1)[1]
    resolved.derive(
      f'{name}_steps',
      count,
      f'{amount:,g} {unit}, {epoch:,.6g} steps an epoch',
    )
  resolved.derive(f'{name}_steps', 0, 'not set')
  return resolved[f'{name}_steps']


def given_duration(resolved: Resolved, name: str) -> str:
  """Returns a duration as it was set, such as `warmup_epochs=5.0`."""
  units = ('epochs', 'examples', 'percent', 'steps')
  paths = (f'{name}_{unit}' for unit in units)
  return next(
    f'config.{path}={resolved[path]}'
    for path in paths
    if resolved.values.get(path) is not None
  )
