"""Every published model as a row of plain data, and what it must count.

A row holds what differs from `DEFAULTS`. The fields are those of
`config.model`; `resflax.geometry` says what they mean for each block.
"""

from collections.abc import Mapping

from resflax import efficientnets, errors

# The fields of a model, and the ResNet every row departs from: He et al. 2015
# with the stride on the 3x3 convolution (torchvision's "v1.5").
DEFAULTS = {
  'depths': None,  # blocks a stage
  'features': (64, 128, 256, 512),  # base width of each stage
  'stem': 'conv7x7',
  'branch': 'bottleneck_b',
  'shortcut': 'projection',
  'width': 1.0,  # multiplies every feature count
  'cardinality': 1,  # groups of the 3x3 convolution
  'group_width': None,  # features a group where the base width is 64
  'se_ratio': 0.0,  # hidden units of SE over the block's output features
  'activation': 'relu',
  'padding': 'symmetric',
  # Rates belong to a recipe (RS changes them with the resolution), not a row.
  'dropout_rate': 0.0,
  'stochastic_depth_rate': 0.0,
  'stochastic_depth_by': 'stage',
  'norm': {},
  # How it is computed; what is computed is the same.
  'conv': 'auto',
  'scan_blocks': 'auto',  # build_model takes it as 'off', training by a rule
  'remat': 'none',
}
NORM_DEFAULTS = {'group_size': 0, 'momentum': 0.9, 'epsilon': 1e-5}

_RESNETS = {
  18: {'depths': (2, 2, 2, 2), 'branch': 'basic'},  # He et al. 2015, table 1
  26: {'depths': (2, 2, 2, 2)},  # timm
  34: {'depths': (3, 4, 6, 3), 'branch': 'basic'},  # He et al. 2015, table 1
  50: {'depths': (3, 4, 6, 3)},  # "
  101: {'depths': (3, 4, 23, 3)},  # "
  152: {'depths': (3, 8, 36, 3)},  # "
  200: {'depths': (3, 24, 36, 3)},  # He et al. 2016, section 5
}

# He et al. 2019 ("Bag of Tricks"), figure 2: each on top of the one before.
_C = {'stem': 'deep'}
_D = {'stem': 'deep', 'shortcut': 'avg_pool'}

# Hu et al. 2018: squeeze-and-excitation in every block, reduction ratio 16.
_SE = {'se_ratio': 1 / 16}

_RESNET_RS = {  # Bello et al. 2021, section 6 and the authors' configs
  26: (2, 2, 2, 2),  # the scaling study's; its layout is not published
  50: (3, 4, 6, 3),
  101: (3, 4, 23, 3),
  152: (3, 8, 36, 3),
  200: (3, 24, 36, 3),
  270: (4, 29, 53, 4),
  300: (4, 36, 54, 4),  # the scaling study's
  350: (4, 36, 72, 4),
  400: (6, 48, 72, 6),  # the scaling study's
  420: (4, 44, 87, 4),
}
_RS = {  # the authors' TF1 configs: SE on the output, pool replaced by a conv
  'stem': 'deep_strided',
  'shortcut': 'avg_pool',
  'se_ratio': 0.25,
  # The last batch's statistics are kept, and the EMA of the weights covers
  # them: train with `config.ema.decay`, or set the momentum.
  'norm': {'momentum': 0.0},
}
_GARDEN = {  # TF Model Garden's ResNet-RS: the weights it ships need all three
  'activation': 'swish',
  'padding': 'same',
  'shortcut': 'avg_pool_garden',
}

_CIFAR = {'stem': 'small_image', 'features': (16, 32, 64), 'branch': 'basic'}

VARIANTS = {
  **{f'resnet{depth}': row for depth, row in _RESNETS.items()},
  # Stride on the first 1x1, as published in 2015 (MSRA's and Keras's weights).
  **{
    f'resnet{depth}_v1': _RESNETS[depth] | {'branch': 'bottleneck'}
    for depth in (50, 101, 152)
  },
  **{f'resnet{depth}_c': row | _C for depth, row in _RESNETS.items()},
  **{f'resnet{depth}_d': row | _D for depth, row in _RESNETS.items()},
  **{f'se_resnet{depth}': _RESNETS[depth] | _SE for depth in (50, 101, 152)},
  # Xie et al. 2017, table 1; 64x4d from section 5.1, 32x8d from torchvision.
  **{
    f'resnext{depth}_{cardinality}x{width}d': _RESNETS[depth]
    | {'cardinality': cardinality, 'group_width': width}
    for depth, cardinality, width in (
      (50, 32, 4),
      (101, 32, 4),
      (101, 64, 4),
      (101, 32, 8),
    )
  },
  **{
    f'resnet_rs_{depth}': {'depths': depths, **_RS}
    for depth, depths in _RESNET_RS.items()
  },
  **{
    f'resnet_rs_{depth}_garden': {'depths': depths, **_RS, **_GARDEN}
    for depth, depths in _RESNET_RS.items()
  },
  # He et al. 2015, section 4.2: 6n+2 layers, option A shortcuts.
  **{
    f'resnet{6 * n + 2}_cifar': _CIFAR
    | {'depths': (n, n, n), 'shortcut': 'zero_pad'}
    for n in (3, 5, 7, 9, 18)
  },
  # Xie et al. 2017, section 5.3: 9n+2 layers; projections where the features
  # change (option B), the default of the authors' code.
  'resnext29_16x64d_cifar': {
    'depths': (3, 3, 3),
    'features': (64, 128, 256),
    'stem': 'small_image',
    'cardinality': 16,
    'group_width': 64,
  },
  # He et al. 2015, section 4.1: the nets that degrade with depth.
  **{
    f'plain{depth}': _RESNETS[depth] | {'shortcut': 'none'}
    for depth in (18, 34)
  },
}

ALIASES = {f'resnet{depth}_b': f'resnet{depth}' for depth in _RESNETS}


def variant(name: str) -> dict:
  """Returns a fresh row: every field of the model called `name`.

  Its `norm` holds only what the variant prescribes. That of an EfficientNet
  holds its name as well, and None where a field is for ResNets alone.

  Raises:
    UsageError: no such variant.
  """
  name = ALIASES.get(name, name)
  known = [*VARIANTS, *efficientnets.SCALES]
  if name not in known:
    raise errors.unknown('variant', name, known, 'config.model.variant')
  if name in VARIANTS:
    row = DEFAULTS | VARIANTS[name]
  else:
    row = dict.fromkeys(DEFAULTS) | efficientnets.ROW | {'variant': name}
  return row | {'norm': dict(row['norm'])}


def complete(model: str | Mapping, **overrides) -> dict:
  """Returns all fields of a model; what is None or missing gets its default.

  Args:
    model: a variant's name, or fields, of which `variant` names the row that
      fills the others.
    **overrides: fields that go before those of `model`.

  Raises:
    UsageError: a field or a variant that does not exist.
  """
  given = {'variant': model} if isinstance(model, str) else dict(model)
  name = overrides.pop('variant', None) or given.pop('variant', None)
  row = variant(name) if name else dict(DEFAULTS)
  row['norm'] = NORM_DEFAULTS | row['norm']
  for fields in (given, overrides):
    row = _merge(row, fields, 'config.model')
  return row


def architecture(fields: Mapping) -> dict:
  """Returns those of a model's complete fields that its weights are for.

  The others belong to a recipe, or say how the same is computed.
  """
  names = (
    *('depths', 'features', 'stem', 'branch', 'shortcut', 'width'),
    *('cardinality', 'group_width', 'se_ratio', 'activation', 'padding'),
  )
  epsilon = {'norm': {'epsilon': fields['norm']['epsilon']}}
  return {name: fields[name] for name in names} | epsilon


def changes(fields: Mapping, name: str) -> dict:
  """Returns those fields of an architecture that differ from a variant's."""
  row = architecture(complete(name))
  given = architecture(complete(fields)).items()
  return {field: value for field, value in given if value != row[field]}


def _merge(row: dict, fields: Mapping, where: str) -> dict:
  """Returns `row` with those of `fields` that are not None."""
  merged = dict(row)
  for name, value in fields.items():
    if name not in row:
      raise errors.unknown('field', name, row, where)
    if isinstance(row[name], dict) and value is not None:
      value = _merge(row[name], value, f'{where}.{name}')
    if isinstance(row[name], float) and isinstance(value, int):
      value = float(value)
    if value is not None:
      merged[name] = value
  return merged
