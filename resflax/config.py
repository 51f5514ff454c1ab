"""From a config with unset fields to one where everything is decided.

`resolve` runs after command-line overrides, so a derived field follows what
it is derived from, and each comes with its reason.
"""

from collections.abc import Mapping

from resflax import efficientnets, rules, schema
from resflax.batches import of_equal_pixels
from resflax.conflicts import check_conflicts
from resflax.durations import derive_durations
from resflax.errors import UsageError
from resflax.fields import flat
from resflax.path import EXTRAPOLATED, SET, Point, is_of_family
from resflax.plan import Plan, plan_for, regularisers
from resflax.resolution import RISING, custom, make_stages
from resflax.resolved import Facts, Resolved
from resflax.rules import Decided
from resflax.turns import ratios_of
from resflax.variants import variant

LARGE = 128  # pixels, from which the sizes of stages are multiples of 32
# Blocks from which a loop over them compiles faster than it costs in steps
# (docs/results/scan.md).
SCAN_FROM = {'cpu': 30, 'gpu': 100, 'tpu': 100}


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
  for path, value in facts.weights.items():
    resolved.derive(path, value, 'as the weights of init.weights')
  _derive_mixture(resolved)
  derive_durations(resolved, facts.epoch)
  _derive_custom(resolved)
  _derive_scaling(resolved, facts.num_examples)
  _derive_model(resolved)
  _derive_scan(resolved, facts.platform)
  _derive_resolution(resolved)
  _derive_stages(resolved)
  _derive_augment(resolved)
  _derive_optimizer(resolved)
  _derive_decay(resolved, facts.num_examples)
  check_conflicts(resolved, facts)
  return resolved


def _derive_mixture(resolved: Resolved) -> None:
  path, sources = 'data.mixture.ratios', resolved['data.mixture.sources']
  ratios = ratios_of(sources, resolved[path])
  if sources:
    resolved.derive(
      path, ratios, 'labelled images and others (Xie et al. 2020)'
    )


def _derive_custom(resolved: Resolved) -> None:
  path = 'resolution.custom'
  if resolved['resolution.schedule'] == 'custom':
    total, table = resolved['schedule.total_steps'], resolved[path]
    size = custom(total_steps=total, table=table)[-1].resolution
    resolved.derive('resolution.train', size, 'the last of resolution.custom')


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
  if not is_of_family(resolved['model.variant']):
    raise UsageError(
      f'config.model.variant={resolved["model.variant"]} is not of the family '
      'that config.scaling.rule=resnet_rs scales: set '
      'config.model.variant=resnet_rs_50.'
    )
  plan = plan_of(resolved, num_examples)
  _derive_all(resolved, plan.shape())
  _derive_all(resolved, regularisers(point_of(resolved, plan), plan.epochs))


def _derive_all(resolved: Resolved, fields: Mapping[str, Decided]) -> None:
  for path, decided in fields.items():
    resolved.derive(path, decided.value, decided.reason)


def own_point(resolved: Resolved) -> Point:
  """Returns the model and resolution of a config, whatever a plan says."""
  depths, width = resolved['model.depths'], resolved['model.width']
  return Point(tuple(depths), resolved['resolution.train'], width, SET)


def point_of(resolved: Resolved, plan: Plan) -> Point:
  """Returns what is trained: the plan's point, or another for what is set."""
  point = own_point(resolved)
  if point[:-1] == plan.point[:-1]:
    return plan.point
  far = f'{SET}, {EXTRAPOLATED}'
  return point._replace(source=far) if point.is_far else point


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
  """Returns the passes over the unique examples.

  Whole ones where the run is that long but for the rounding to steps, or 250
  epochs would lie below a limit of 250.
  """
  batch = resolved['batch_size']
  seen = resolved['schedule.total_steps'] * batch
  whole = round(seen / num_examples)
  near = abs(seen - whole * num_examples) <= batch / 2
  return float(whole) if near else seen / num_examples


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
  path = 'model.scan_blocks'
  if resolved[path] == 'auto':
    blocks = sum(efficientnets.blocks(resolved.group('model')))
    least = SCAN_FROM[platform]
    apart = bool(resolved['optimizer.lr_factors'])
    resolved.values[path] = 'on' if blocks >= least and not apart else 'off'
    resolved.reasons[path] = (
      'optimizer.lr_factors are for single blocks'
      if apart
      else f'{blocks} blocks; on from {least} on {platform}'
    )


def _derive_resolution(resolved: Resolved) -> None:
  resolved.derive('resolution.train', 224, 'what ImageNet models are given')
  train = resolved['resolution.train']
  resolved.derive('resolution.test', train, 'resolution.train')
  if resolved['resolution.schedule'] in RISING:
    half = max(8, train // 2)
    resolved.derive('resolution.start', half, 'half of resolution.train')
    path = 'resolution.multiple'
    if train >= LARGE:
      resolved.derive(path, 32, 'what most nets divide an image by')
    else:
      resolved.derive(path, 4, f'below {LARGE} pixels')


def _derive_stages(resolved: Resolved) -> None:
  options = resolved.group('resolution')
  total = resolved['schedule.total_steps']
  stages = make_stages(
    options['schedule'],
    total_steps=total,
    train=options['train'],
    start=options['start'],
    stages=options['stages'],
    multiple=options['multiple'],
    ramp_begin=options['ramp_begin'],
    ramp_end=options['ramp_end'],
    custom_table=options['custom'],
    first_strength=options['strengths'],
  )
  if options['batch'] == 'pixels':
    stages = of_equal_pixels(stages, total)
  reason = 'first step, pixels, strength and batches a step of each'
  resolved.derive('resolution.table', stages, reason)


def _derive_augment(resolved: Resolved) -> None:
  resolved.derive('loss.label_smoothing', 0.0, 'not set')
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
  l2 = (
    resolved['optimizer.name'] == 'sgd' and not resolved['optimizer.decoupled']
  )
  if resolved['scaling.rule'] == 'off' or not peak_lr or not l2:
    beside = '' if l2 else "; the rule's is L2 beside momentum"
    resolved.derive(path, 1e-4, f'as ResNet (He et al. 2015){beside}')
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
