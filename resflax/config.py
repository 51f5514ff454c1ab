"""From a config with unset fields to one where everything is decided.

`resolve` runs after command-line overrides, so a derived field follows what
it is derived from, and each comes with its reason.
"""

from collections.abc import Mapping

from resflax import rules, schema
from resflax.errors import UsageError
from resflax.fields import flat
from resflax.plan import Plan, plan_for
from resflax.resolved import Facts, Resolved
from resflax.variants import variant

# Blocks from which a loop over them compiles faster than it costs in steps
# (docs/results/scan.md).
SCAN_FROM = {'cpu': 30, 'gpu': 100, 'tpu': 100}


# Resolution schedules that begin at `resolution.start`.
RISING = ('linear', 'ramp')


def resolve(config: Mapping, facts: Facts) -> Resolved:
  """Decides every unset field of a config and checks the whole.

  Args:
    config: nested, possibly partial; see `resflax.schema`.
    facts: what the data set says.

  Raises:
    UsageError: a field that does not exist, a value that is not allowed, or
      two that contradict each other.
  """
  resolved = Resolved(schema.complete(config), {})
  for name, split in facts.splits.items():
    resolved.derive(f'data.{name}', split, facts.split_reason)
  _derive_durations(resolved, facts.num_examples)
  _derive_scaling(resolved, facts.num_examples)
  _derive_model(resolved)
  _derive_scan(resolved, facts.platform)
  _derive_resolution(resolved)
  _derive_augment(resolved)
  _derive_optimizer(resolved)
  _derive_decay(resolved, facts.num_examples)
  _check(resolved)
  return resolved


def _derive_scaling(resolved: Resolved, num_examples: int) -> None:
  """Decides what the rule says for the budget, see `resflax.plan`."""
  options = resolved.group('scaling')
  if options.pop('rule') == 'off':
    given = [f'config.scaling.{n}={v}' for n, v in options.items() if v]
    if given and given != ['config.scaling.grow=auto']:
      raise UsageError(
        f'{given[0]} does nothing without a rule: set '
        'config.scaling.rule=resnet_rs.'
      )
    return
  if not resolved['model.variant'].startswith('resnet_rs_'):
    raise UsageError(
      f'config.model.variant={resolved["model.variant"]} is not of the family '
      'that config.scaling.rule=resnet_rs scales: set '
      'config.model.variant=resnet_rs_50.'
    )
  for path, decided in plan_of(resolved, num_examples).fields().items():
    resolved.derive(path, decided.value, decided.reason)


def plan_of(resolved: Resolved, num_examples: int) -> Plan:
  """Returns the plan that a config with a scaling rule asks for.

  Args:
    resolved: a config whose durations are decided.
    num_examples: in the training split.

  Raises:
    UsageError: see `plan_for`.
  """
  options = resolved.group('scaling')
  del options['rule']
  return plan_for(**options, epochs=_epochs(resolved, num_examples))


def _epochs(resolved: Resolved, num_examples: int) -> float:
  """Returns the passes over the unique examples."""
  seen = resolved['schedule.total_steps'] * resolved['batch_size']
  return seen / num_examples


def _derive_model(resolved: Resolved) -> None:
  name = resolved['model.variant']
  row = dict(flat(variant(name), 'model.'))
  for path in schema.FIELDS:
    if row.get(path) is not None:
      resolved.derive(path, row[path], f'variant {name}')
  _derive_group(resolved)
  resolved.derive('model.norm.momentum', 0.9, 'keeps about ten steps')
  resolved.derive('model.norm.epsilon', 1e-5, 'as published (torch, TF)')


def _derive_group(resolved: Resolved) -> None:
  """Decides on samples a batch-norm group: of a part where they accumulate."""
  parts = resolved['optimizer.accumulate']
  batch, rest = divmod(resolved['batch_size'], parts)
  group, path = 64, 'model.norm.group_size'
  if batch % group == 0 and not rest:
    resolved.derive(path, group, f'{group} divides the batch of {batch}')
  elif parts > 1:
    resolved.derive(path, batch, f'a part of the batch, of {parts}')
  else:
    reason = f'{group} does not divide the batch of {batch}: the whole batch'
    resolved.derive(path, 0, reason)


def _derive_scan(resolved: Resolved, platform: str) -> None:
  path, blocks = 'model.scan_blocks', sum(resolved['model.depths'])
  if resolved[path] == 'auto':
    least = SCAN_FROM[platform]
    resolved.values[path] = 'on' if blocks >= least else 'off'
    resolved.reasons[path] = f'{blocks} blocks; on from {least} on {platform}'


def _derive_durations(resolved: Resolved, num_examples: int) -> None:
  epoch = num_examples / resolved['batch_size']
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


def _given(resolved: Resolved, name: str) -> str:
  """Returns a duration as it was set, such as `warmup_epochs=5.0`."""
  units = ('epochs', 'examples', 'percent', 'steps')
  paths = (f'{name}_{unit}' for unit in units)
  return next(
    f'config.{path}={resolved[path]}'
    for path in paths
    if resolved.values.get(path) is not None
  )


def _derive_resolution(resolved: Resolved) -> None:
  resolved.derive('resolution.train', 224, 'what ImageNet models are given')
  train = resolved['resolution.train']
  resolved.derive('resolution.test', train, 'resolution.train')
  if resolved['resolution.schedule'] in RISING:
    resolved.derive('resolution.start', train // 2, 'half of resolution.train')


def _derive_augment(resolved: Resolved) -> None:
  path = 'augment.randaugment'
  resolved.derive(f'{path}.layers', 0, 'not set')
  resolved.derive(f'{path}.magnitude', 10.0, 'the end of its scale')


def _derive_optimizer(resolved: Resolved) -> None:
  lr, batch = resolved['optimizer.lr'], resolved['batch_size']
  reference = resolved['optimizer.lr_reference_batch']
  resolved.derive(
    'optimizer.peak_lr',
    lr * batch / reference if reference else lr,
    f'{lr:g} for {reference} examples, linear in the batch of {batch} '
    '(Goyal et al. 2017)'
    if reference
    else 'optimizer.lr as given',
  )
  imagenet = 'ImageNet, as torchvision and timm have it'
  resolved.derive('data.mean', (0.485, 0.456, 0.406), imagenet)
  resolved.derive('data.std', (0.229, 0.224, 0.225), imagenet)


def _derive_decay(resolved: Resolved, num_examples: int) -> None:
  path, peak_lr = 'optimizer.weight_decay', resolved['optimizer.peak_lr']
  if resolved['scaling.rule'] == 'off' or not peak_lr:
    resolved.derive(path, 1e-4, 'as ResNet (He et al. 2015)')
    return
  decided = rules.weight_decay(
    _epochs(resolved, num_examples),
    regularised=bool(
      resolved['model.dropout_rate'] or resolved['model.stochastic_depth_rate']
    ),
    peak_lr=peak_lr,
    steps=resolved['schedule.total_steps'],
  )
  resolved.derive(path, decided.value, decided.reason)


def _check(resolved: Resolved) -> None:
  """Refuses fields that contradict each other."""
  get = resolved.values.get
  for wrong, message in (
    (
      get('schedule.warmup_steps') >= get('schedule.total_steps'),
      f'The warm-up of {get("schedule.warmup_steps")} steps '
      f'({_given(resolved, "schedule.warmup")}) does not end within the run '
      f'of {get("schedule.total_steps")}: shorten '
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
      len(get('data.mean')) != len(get('data.std')),
      f'config.data.mean={get("data.mean")} and config.data.std='
      f'{get("data.std")} need one number a channel each.',
    ),
    (
      get('profile_steps')
      and not (
        len(get('profile_steps')) == 2
        and 1
        <= get('profile_steps')[0]
        <= get('profile_steps')[1]
        <= get('schedule.total_steps')
      ),
      f'config.profile_steps={get("profile_steps")} takes the first and the '
      'last step of the run to trace, such as (10, 15).',
    ),
    (
      not set(get('writers')) <= {'tensorboard', 'wandb'},
      f'config.writers={get("writers")} may hold tensorboard and wandb.',
    ),
  ):
    if wrong:
      raise UsageError(message)
