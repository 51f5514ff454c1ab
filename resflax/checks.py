"""What a model may not be, refused in one line before anything is built."""

from collections.abc import Collection, Mapping

from resflax.efficientnets import ROW, is_efficientnet
from resflax.errors import UsageError, unknown
from resflax.geometry import natural_stride
from resflax.slots import BRANCHES, SHORTCUTS, STEMS

_CHOICES = {
  'stem': STEMS,
  'branch': BRANCHES,
  'shortcut': SHORTCUTS,
  'activation': ('relu', 'swish'),
  'padding': ('symmetric', 'same'),
  'stochastic_depth_by': ('stage', 'block'),
  'conv': ('auto', 'xla'),
  'scan_blocks': ('auto', 'on', 'off'),
  'remat': ('none', 'blocks'),
}
_RANGES = {
  'width': (1e-3, 1e3, 'above 0, such as 0.25 or 2'),
  'cardinality': (1, 2**16, 'at least 1; 1 = no groups'),
  'se_ratio': (0, 1, 'from 0 (none) to 1'),
  'dropout_rate': (0, 1 - 1e-6, 'from 0 to below 1'),
  'stochastic_depth_rate': (0, 1 - 1e-6, 'from 0 to below 1'),
}


def check(
  fields: Mapping, *, num_classes: int = 1000, output_stride: int | None = None
) -> None:
  """Checks the complete fields of a model, each and against the others.

  Raises:
    UsageError: a value that is not allowed, or two that contradict each other.
  """
  _require(num_classes >= 1, 'num_classes', num_classes, 'at least 1')
  _check_norm(fields['norm'])
  if is_efficientnet(fields):
    _refuse_fields_of_resnets(fields, output_stride)
    _check_values(fields, ROW)
    return
  _check_values(fields, fields)
  _check_stages(fields['depths'], fields['features'])
  _check_pairs(fields)
  if output_stride is not None:
    _check_output_stride(output_stride, natural_stride(fields))


def _refuse_fields_of_resnets(
  fields: Mapping, output_stride: int | None
) -> None:
  name = fields['variant']
  for field, value in fields.items():
    if field not in (*ROW, 'variant') and value is not None:
      raise UsageError(
        f'config.model.{field}={value} is for ResNets, and {name} is not one: '
        'set it to None, or choose another config.model.variant.'
      )
  if output_stride is not None:
    raise UsageError(
      f'output_stride={output_stride} is for ResNets, and {name} is not one: '
      'give None.'
    )


def _check_values(fields: Mapping, names: Collection[str]) -> None:
  for name in names:
    if name in _CHOICES and fields[name] not in _CHOICES[name]:
      raise unknown(name, fields[name], _CHOICES[name], f'config.model.{name}')
    if name in _RANGES:
      low, high, allowed = _RANGES[name]
      _require(low <= fields[name] <= high, name, fields[name], allowed)


def _check_stages(depths: object, features: object) -> None:
  for name, values in (('depths', depths), ('features', features)):
    _require(
      isinstance(values, tuple | list)
      and len(values) > 0
      and all(isinstance(v, int) and v >= 1 for v in values),
      name,
      values,
      'one number from 1 up for each stage, such as (3, 4, 6, 3)',
    )
  if len(depths) != len(features):
    raise UsageError(
      f'config.model.depths={tuple(depths)} has {len(depths)} stages, and the '
      f'variant has {len(features)}, of {tuple(features)} features: give as '
      'many depths.'
    )


def _check_norm(norm: Mapping) -> None:
  for name, ok, allowed in (
    ('group_size', norm['group_size'] >= 0, '0 (the whole batch) or more'),
    ('momentum', 0 <= norm['momentum'] < 1, 'the kept part, 0 to below 1'),
    ('epsilon', norm['epsilon'] > 0, 'above 0, such as 1e-5'),
  ):
    _require(ok, f'norm.{name}', norm[name], allowed)


def _check_pairs(fields: Mapping) -> None:
  """Refuses fields that are right alone and wrong together."""
  cardinality, group_width = fields['cardinality'], fields['group_width']
  _require(
    group_width is None or group_width >= 1,
    *('group_width', group_width, 'at least 1'),
  )
  if fields['branch'] == 'basic' and (cardinality > 1 or group_width):
    raise UsageError(
      f'config.model.cardinality={cardinality} and config.model.group_width='
      f'{group_width} need a bottleneck: the branch is basic, which has no '
      'grouped convolution (config.model.branch).'
    )
  if cardinality > 1 and group_width is None:
    raise UsageError(
      f'config.model.cardinality={cardinality} needs the features a group: '
      'set config.model.group_width, such as 4 for 32x4d.'
    )
  if fields['shortcut'] == 'none' and fields['stochastic_depth_rate']:
    raise UsageError(
      f'config.model.stochastic_depth_rate={fields["stochastic_depth_rate"]} '
      'needs a shortcut to be left with (config.model.shortcut is none).'
    )
  features = fields['features']
  if fields['shortcut'] == 'zero_pad' and list(features) != sorted(features):
    raise UsageError(
      f'config.model.features={tuple(features)} fall, and zero_pad can only '
      'add features (config.model.shortcut).'
    )


def _check_output_stride(output_stride: int, natural: int) -> None:
  if output_stride not in (8, 16, 32) or output_stride > natural:
    allowed = [str(stride) for stride in (8, 16, 32) if stride <= natural]
    raise UsageError(
      f'output_stride={output_stride} is not allowed: the net shrinks an image '
      f'{natural} times, so give '
      + (f'one of {", ".join(allowed)}, or None.' if allowed else 'None.')
    )


def _require(ok: bool, name: str, value: object, allowed: str) -> None:
  if not ok:
    name = name if name == 'num_classes' else f'config.model.{name}'
    raise UsageError(f'{name}={value!r} is not allowed: it takes {allowed}.')
