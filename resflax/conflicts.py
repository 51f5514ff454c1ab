"""Decided fields of a config that contradict each other."""

from resflax.durations import given_duration
from resflax.errors import UsageError
from resflax.resolution import RISING
from resflax.resolved import Facts, Resolved
from resflax.turns import LANES


def check_conflicts(resolved: Resolved, facts: Facts) -> None:
  """Refuses fields that contradict each other.

  Args:
    resolved: in which every field is decided.
    facts: what the data set says.

  Raises:
    UsageError: two that do, and what to change.
  """
  get = resolved.values.get
  endless = get('schedule.warmup_steps') >= get('schedule.total_steps')
  for wrong, message in (
    (
      endless and get('batch_size') > facts.epoch,
      f'config.batch_size={get("batch_size")} exceeds the {facts.epoch:,.0f} '
      f'training examples of an epoch, so the run of '
      f'{get("schedule.total_steps")} steps ends with its warm-up: lower it.',
    ),
    (
      endless,
      f'The warm-up of {get("schedule.warmup_steps")} steps '
      f'({given_duration(resolved, "schedule.warmup")}) does not end within '
      f'the run of {get("schedule.total_steps")}: shorten '
      'config.schedule.warmup_* or lengthen config.schedule.total_*.',
    ),
    (
      get('model.norm.momentum') == 0 and get('ema.decay') == 0,
      'config.model.norm.momentum=0 keeps the statistics of the last batch '
      'alone and needs their average: set config.ema.decay=0.9999, or '
      'config.model.norm.momentum=0.9.',
    ),
    (
      get('batch_size') % (get('model.norm.group_size') or 1),
      f'config.model.norm.group_size={get("model.norm.group_size")} does not '
      f'divide config.batch_size={get("batch_size")}: choose a divisor, or 0 '
      'for the whole batch.',
    ),
    (
      get('resolution.schedule') in RISING
      and get('resolution.start') > get('resolution.train'),
      f'config.resolution.start={get("resolution.start")} lies above '
      f'config.resolution.train={get("resolution.train")}: resolution rises.',
    ),
    (
      get('resolution.batch') == 'pixels'
      and get('resolution.schedule') == 'fixed',
      'config.resolution.batch=pixels does nothing at one resolution: set '
      'config.resolution.schedule, or leave it at fixed.',
    ),
    (
      get('model.scan_blocks') == 'on' and get('optimizer.lr_factors'),
      'config.optimizer.lr_factors are for single blocks, which a loop has '
      'not: leave config.model.scan_blocks at auto.',
    ),
    (
      get('init.reset_head') and not get('init.weights'),
      'config.init.reset_head does nothing without weights: set '
      'config.init.weights.',
    ),
    (
      len(get('data.mean')) != len(get('data.std')),
      f'config.data.mean={get("data.mean")} and config.data.std='
      f'{get("data.std")} need one number a channel each.',
    ),
    (
      get('resolution.custom') and get('resolution.schedule') != 'custom',
      f'config.resolution.custom={get("resolution.custom")} has no effect with '
      f'config.resolution.schedule={get("resolution.schedule")}: set it to '
      'custom.',
    ),
    (
      get('profile_steps')
      and not (
        len(get('profile_steps')) == 2
        and 1
        <= get('profile_steps')[0]
        <= get('profile_steps')[1]
        <= resolved.total_steps
      ),
      f'config.profile_steps={get("profile_steps")} takes the first and the '
      'last step of the run to trace, such as (10, 15).',
    ),
    (
      get('data.mixture.sources')
      and get('data.shuffle') == 'lanes'
      and get('batch_size') % (LANES * sum(get('data.mixture.ratios'))),
      f'config.data.shuffle=lanes takes {LANES} examples of a source in a '
      f'row: make config.batch_size={get("batch_size")} a multiple of {LANES} '
      f'times the sum of config.data.mixture.ratios='
      f'{get("data.mixture.ratios")}, or set config.data.shuffle=global.',
    ),
    (
      not set(get('writers')) <= {'tensorboard', 'wandb'},
      f'config.writers={get("writers")} may hold tensorboard and wandb.',
    ),
  ):
    if wrong:
      raise UsageError(message)
