"""From a config with unset fields to one where everything is decided.

`resolve` runs after command-line overrides, so a derived field follows what
it is derived from, and each comes with its reason.
"""

import dataclasses
from collections.abc import Mapping

from resflax import schema
from resflax.errors import UsageError
from resflax.fields import flat, nest
from resflax.variants import variant

# Blocks from which a loop over them compiles faster than it costs in steps
# (docs/results/scan.md).
SCAN_FROM = {'cpu': 30, 'gpu': 100, 'tpu': 100}


@dataclasses.dataclass(frozen=True)
class Facts:
  """What `resolve` needs to know about a data set and a machine.

  Attributes:
    num_examples: in the training split.
    splits: the default of `train_split`, `val_split` and `test_split`.
    split_reason: why these.
    platform: that the run is compiled for: cpu, gpu or tpu.
  """

  num_examples: int
  splits: Mapping[str, str]
  split_reason: str
  platform: str = 'cpu'


@dataclasses.dataclass(frozen=True)
class Resolved:
  """A config in which every field is decided.

  Attributes:
    values: `{dotted path: value}`; holds derived paths that are no fields of
      the schema as well, such as `optimizer.peak_lr`.
    reasons: `{dotted path: why}` of the derived ones.
  """

  values: dict[str, object]
  reasons: dict[str, str]

  def __getitem__(self, path: str):
    return self.values[path]

  def group(self, name: str) -> dict:
    """Returns the nested dict of one group, such as `model`."""
    return self.config[name]

  @property
  def config(self) -> dict:
    """The nested dict of the schema's fields."""
    return nest({path: self.values[path] for path in schema.FIELDS})

  @property
  def derived(self) -> dict:
    """`{dotted path: {value, reason}}`, as `config.json` stores it."""
    return {
      path: {'value': self.values[path], 'reason': reason}
      for path, reason in self.reasons.items()
    }

  def derive(self, path: str, value: object, reason: str) -> None:
    """Decides a field, unless somebody set it."""
    if self.values.get(path) is None:
      self.values[path] = value
      self.reasons[path] = reason


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
  _derive_model(resolved)
  _derive_scan(resolved, facts.platform)
  _derive_durations(resolved, facts.num_examples)
  _derive_resolution(resolved)
  _derive_optimizer(resolved)
  _check(resolved)
  return resolved


def _derive_model(resolved: Resolved) -> None:
  name = resolved['model.variant']
  row = dict(flat(variant(name), 'model.'))
  for path in schema.FIELDS:
    if row.get(path) is not None:
      resolved.derive(path, row[path], f'variant {name}')
  batch, group = resolved['batch_size'], 64
  resolved.derive(
    'model.norm.group_size',
    group if batch % group == 0 else 0,
    f'{group} divides the batch of {batch}'
    if batch % group == 0
    else f'{group} does not divide the batch of {batch}: the whole batch',
  )
  resolved.derive('model.norm.momentum', 0.9, 'keeps about ten steps')
  resolved.derive('model.norm.epsilon', 1e-5, 'as published (torch, TF)')


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
      f'unset the other, e.g. --config.{next(iter(given))}=None.'
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


def _derive_resolution(resolved: Resolved) -> None:
  resolved.derive('resolution.train', 224, 'what ImageNet models are given')
  train = resolved['resolution.train']
  resolved.derive('resolution.test', train, 'resolution.train')
  if resolved['resolution.schedule'] == 'linear':
    resolved.derive('resolution.start', train // 2, 'half of resolution.train')


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


def _check(resolved: Resolved) -> None:
  """Refuses fields that contradict each other."""
  get = resolved.values.get
  for wrong, message in (
    (
      get('schedule.warmup_steps') >= get('schedule.total_steps'),
      f'The warm-up of {get("schedule.warmup_steps")} steps does not end '
      f'within the run of {get("schedule.total_steps")}: shorten '
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
      get('resolution.schedule') == 'linear'
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
