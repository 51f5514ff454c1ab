"""Decided fields of a config that contradict each other."""

from collections.abc import Callable, Iterator

from resflax import schema
from resflax.durations import given_duration
from resflax.errors import UsageError
from resflax.resolution import RISING
from resflax.resolved import Facts, Resolved
from resflax.turns import LANES

# Whether a contradiction is there, and which.
Conflicts = Iterator[tuple[object, str]]


def check_conflicts(resolved: Resolved, facts: Facts) -> None:
  """Refuses fields that contradict each other.

  Args:
    resolved: in which every field is decided.
    facts: what the data set says.

  Raises:
    UsageError: two that do, and what to change.
  """
  get = resolved.values.get
  for conflicts in (
    _of_schedule(resolved, facts),
    _of_model(get),
    _of_resolution(get),
    _of_augment(resolved),
    _of_teacher(get),
    _of_data(get),
    _of_records(get, resolved.total_steps),
  ):
    for wrong, message in conflicts:
      if wrong:
        raise UsageError(message)


def _of_schedule(resolved: Resolved, facts: Facts) -> Conflicts:
  get = resolved.values.get
  endless = get('schedule.warmup_steps') >= get('schedule.total_steps')
  yield (
    endless and get('batch_size') > facts.epoch,
    f'config.batch_size={get("batch_size")} exceeds the {facts.epoch:,.0f} '
    f'training examples of an epoch, so the run of '
    f'{get("schedule.total_steps")} steps ends with its warm-up: lower it.',
  )
  yield (
    endless,
    f'The warm-up of {get("schedule.warmup_steps")} steps '
    f'({given_duration(resolved, "schedule.warmup")}) does not end within '
    f'the run of {get("schedule.total_steps")}: shorten '
    'config.schedule.warmup_* or lengthen config.schedule.total_*.',
  )
  drops = get('schedule.drops')
  rising = list(drops) == sorted({d for d in drops if 0 < d < 100})
  stepped = get('schedule.name') == 'step'
  yield (
    stepped and not (drops and rising),
    f'config.schedule.drops={drops} takes percent of the run, rising, above 0 '
    'and below 100, such as (30.0, 60.0, 90.0).',
  )
  warm = 100 * get('schedule.warmup_steps') / get('schedule.total_steps')
  yield (
    stepped and drops and drops[0] < warm,
    f'config.schedule.drops={drops} begins before the warm-up ends, at '
    f'{warm:.3g} % of the run: shorten config.schedule.warmup_* or drop later.',
  )


def _of_model(get: Callable) -> Conflicts:
  yield (
    get('model.norm.momentum') == 0 and get('ema.decay') == 0,
    'config.model.norm.momentum=0 keeps the statistics of the last batch '
    'alone and needs their average: set config.ema.decay=0.9999, or '
    'config.model.norm.momentum=0.9.',
  )
  yield (
    get('batch_size') % get('optimizer.accumulate'),
    f'config.optimizer.accumulate={get("optimizer.accumulate")} does not '
    f'divide config.batch_size={get("batch_size")}: choose a divisor.',
  )
  yield (
    get('batch_size') % (get('model.norm.group_size') or 1),
    f'config.model.norm.group_size={get("model.norm.group_size")} does not '
    f'divide config.batch_size={get("batch_size")}: choose a divisor, or 0 '
    'for the whole batch.',
  )
  yield (
    get('model.scan_blocks') == 'on' and get('optimizer.lr_factors'),
    'config.optimizer.lr_factors are for single blocks, which a loop has '
    'not: leave config.model.scan_blocks at auto.',
  )
  yield (
    get('init.reset_head') and not get('init.weights'),
    'config.init.reset_head does nothing without weights: set '
    'config.init.weights.',
  )


# What `resolution.strengths` acts on.
_RISES = (
  *('augment.randaugment.layers', 'augment.mixup', 'augment.cutmix'),
  'model.dropout_rate',
)


def _of_resolution(get: Callable) -> Conflicts:
  schedule, custom = get('resolution.schedule'), get('resolution.custom')
  yield (
    schedule in RISING and get('resolution.start') > get('resolution.train'),
    f'config.resolution.start={get("resolution.start")} lies above '
    f'config.resolution.train={get("resolution.train")}: resolution rises.',
  )
  last = get('resolution.table')[-1].resolution
  yield (
    schedule in RISING and last != get('resolution.train'),
    f'The last stage has {last} pixels, and config.resolution.train='
    f'{get("resolution.train")}: lower config.resolution.ramp_end='
    f'{get("resolution.ramp_end")}, or lengthen the run.',
  )
  yield (
    get('resolution.batch') == 'pixels' and schedule == 'fixed',
    'config.resolution.batch=pixels does nothing at one resolution: set '
    'config.resolution.schedule, or leave it at fixed.',
  )
  yield (
    get('resolution.strengths') < 1 and schedule == 'fixed',
    f'config.resolution.strengths={get("resolution.strengths")} does nothing '
    'at one resolution: set config.resolution.schedule, or leave it at 1.',
  )
  yield (
    get('resolution.strengths') < 1 and not any(map(get, _RISES)),
    f'config.resolution.strengths={get("resolution.strengths")} does nothing '
    f'where all of config.{", config.".join(_RISES)} are 0: set one, or leave '
    'it at 1.',
  )
  yield (
    custom and schedule != 'custom',
    f'config.resolution.custom={custom} has no effect with '
    f'config.resolution.schedule={schedule}: set it to custom.',
  )
  yield (
    schedule == 'custom' and custom[-1] != get('resolution.train'),
    f'config.resolution.train={get("resolution.train")} is not the last size '
    f'of config.resolution.custom={custom}: leave it unset, and set '
    'config.resolution.test for evaluation at another size.',
  )


def _of_augment(resolved: Resolved) -> Conflicts:
  path = 'augment.randaugment'
  layers, strength = resolved[f'{path}.layers'], f'{path}.magnitude'
  # Who sets no layers on purpose may leave a recipe's magnitude as it is.
  by_default = not layers and f'{path}.layers' in resolved.reasons
  yield (
    by_default and strength not in resolved.reasons,
    f'config.{strength}={resolved[strength]} does nothing without layers: set '
    f'config.{path}.layers=2, or unset it.',
  )


def _of_teacher(get: Callable) -> Conflicts:
  for path in ('distill.temperature', 'distill.weight'):
    changed = get(path) != schema.FIELDS[path].default
    yield (
      changed and not get('distill.teacher'),
      f'config.{path}={get(path)} does nothing without a teacher: set '
      'config.distill.teacher.',
    )


def _of_data(get: Callable) -> Conflicts:
  ratios = get('data.mixture.ratios')
  yield (
    len(get('data.mean')) != len(get('data.std')),
    f'config.data.mean={get("data.mean")} and config.data.std='
    f'{get("data.std")} need one number a channel each.',
  )
  yield (
    min(get('data.std'), default=1) <= 0,
    f'config.data.std={get("data.std")} divides: it takes numbers above 0.',
  )
  yield (
    get('data.mixture.sources')
    and get('data.shuffle') == 'lanes'
    and get('batch_size') % (LANES * sum(ratios)),
    f'config.data.shuffle=lanes takes {LANES} examples of a source in a '
    f'row: make config.batch_size={get("batch_size")} a multiple of {LANES} '
    f'times the sum of config.data.mixture.ratios={ratios}, or set '
    'config.data.shuffle=global.',
  )


def _of_records(get: Callable, total_steps: int) -> Conflicts:
  traced, writers = get('profile_steps'), get('writers')
  ordered = len(traced) == 2 and 1 <= traced[0] <= traced[1] <= total_steps
  yield (
    traced and not ordered,
    f'config.profile_steps={traced} takes the first and the last step of the '
    'run to trace, such as (10, 15).',
  )
  yield (
    not set(writers) <= {'tensorboard', 'wandb'},
    f'config.writers={writers} may hold tensorboard and wandb.',
  )
