"""The config schema: every field's name, type, default, range and meaning.

One table is what the config files start from, what overrides are checked
against, what an error message quotes and what the docs print. `None` means
"unset": the variant, the data set or a rule decides, and `config.resolve`
writes down which and why.
"""

import difflib
from collections.abc import Mapping

from resflax.errors import UsageError, near_miss
from resflax.fields import Field, flat, nest


def _duration(name: str, doc: str, *, percent: bool = False, **defaults):
  """Returns the fields of a duration: at most one suffix may be set."""
  units = ('steps', 'epochs', 'examples') + (('percent',) if percent else ())
  return {
    f'{name}_{unit}': Field(
      int if unit in ('steps', 'examples') else float,
      defaults.get(unit),
      f'{doc}, in {unit}' + (' of the run' if unit == 'percent' else ''),
      low=0,
      high=100 if unit == 'percent' else None,
      optional=True,
    )
    for unit in units
  }


def _rate(default: float | None, doc: str) -> Field:
  return Field(float, default, doc, low=0, high=1)


SCHEMA = {
  'seed': Field(int, 0, 'everything random follows from it', low=0),
  'batch_size': Field(int, 128, 'examples a step, over all devices', low=1),
  'precision': Field(
    str,
    'float32',
    'type of activations; parameters are float32',
    choices=('float32', 'bfloat16'),
  ),
  'platform': Field(
    str,
    None,
    'refuse to run on another one; unset = the fastest there is',
    choices=('cpu', 'gpu', 'tpu'),
  ),
  'model': {
    'variant': Field(str, 'resnet50', 'row of resflax.variants'),
    'width': Field(float, None, 'multiplies every feature count', low=1e-3),
    'depths': Field(tuple, None, 'blocks a stage', item=int),
    'stem': Field(str, None, 'slot, see resflax.models.stems'),
    'branch': Field(str, None, 'slot, see resflax.models.branches'),
    'shortcut': Field(str, None, 'slot, see resflax.models.shortcuts'),
    'cardinality': Field(int, None, 'groups of the 3x3 (ResNeXt)', low=1),
    'group_width': Field(int, None, 'features a group in stage 1', low=1),
    'se_ratio': _rate(None, 'squeeze of squeeze-and-excitation; 0 = none'),
    'activation': Field(str, None, 'non-linearity', choices=('relu', 'swish')),
    'padding': Field(
      str, None, 'of strided convolutions', choices=('symmetric', 'same')
    ),
    'dropout_rate': _rate(None, 'before the classifier'),
    'stochastic_depth_rate': _rate(None, 'drop rate of the deepest block'),
    'stochastic_depth_by': Field(
      str, None, 'how the rate rises with depth', choices=('stage', 'block')
    ),
    'norm': {
      'group_size': Field(
        int, None, 'samples a batch-norm group; 0 = the whole batch', low=0
      ),
      'momentum': _rate(None, 'part of the running statistics that is kept'),
      'epsilon': Field(float, None, 'added to the variance', low=0),
    },
    'conv': Field(
      str,
      'auto',
      'backward pass: by platform, or plain autodiff (has a forward mode)',
      choices=('auto', 'xla'),
    ),
    'scan_blocks': Field(
      str,
      'auto',
      'equal blocks as a loop, which compiles once; auto = where it is fast',
      choices=('auto', 'on', 'off'),
    ),
    'remat': Field(
      str,
      'none',
      'compute blocks again in the backward pass, to save memory',
      choices=('none', 'blocks'),
    ),
  },
  'scaling': {
    'rule': Field(
      str,
      'off',
      'decide size, resolution and regularisers by a budget',
      choices=('off', 'resnet_rs'),
    ),
    'macs': Field(float, None, 'budget: multiply-adds of one image', low=1),
    'latency_ms': Field(
      float, None, 'budget: a step of 128 images on a TPU v3 core', low=0
    ),
    'grow': Field(
      str,
      'auto',
      'depth or width; auto = by the length of the run',
      choices=('auto', 'depth', 'width'),
    ),
  },
  'data': {
    'name': Field(str, 'digits', 'TFDS name, or folder:DIR'),
    'data_dir': Field(str, None, 'where TFDS data lies, local or gs://'),
    'train_split': Field(str, None, 'TFDS split, such as train[:98%]'),
    'val_split': Field(str, None, 'for choices: sweeps, best checkpoint'),
    'test_split': Field(str, None, 'looked at once, at the end'),
    'shuffle': Field(
      str,
      'global',
      'order of an epoch; lanes reads in long ranges, for gs://',
      choices=('global', 'lanes'),
    ),
    'workers': Field(int, 0, 'decoding processes; 0 = threads', low=0),
    'bad_budget': Field(
      float, 1e-5, 'share of bad training examples that are replaced', low=0
    ),
    'mean': Field(
      tuple, None, 'of each channel, in 0..1; unset = ImageNet', item=float
    ),
    'std': Field(
      tuple, None, 'of each channel, in 0..1; unset = ImageNet', item=float
    ),
  },
  'augment': {
    'crop': Field(
      str,
      'random_resized',
      'how training pictures are cut',
      choices=('random_resized', 'pad', 'none'),
    ),
    'flip': Field(bool, True, 'mirror half of them'),
    'area': Field(
      tuple, (0.08, 1.0), 'random_resized: part of the picture', item=float
    ),
    'ratio': Field(
      tuple, (0.75, 1.3333333333333333), 'random_resized: aspect', item=float
    ),
    'pad': _rate(0.125, 'pad: border on each side, as a part of the side'),
    'randaugment': {
      'layers': Field(
        int, None, 'operations after each other; 0 = none', low=0
      ),
      'magnitude': Field(
        float,
        None,
        'their strength; 10 = the end of their scale',
        low=0,
        high=30,
      ),
      'source': Field(
        str,
        'tpu',
        'translate as the authors (tpu) or, a tenth of it, Model Garden',
        choices=('tpu', 'garden'),
      ),
    },
  },
  'loss': {'label_smoothing': _rate(0.0, 'mass spread over all classes')},
  'resolution': {
    'schedule': Field(
      str,
      'fixed',
      'how the training resolution moves',
      choices=('fixed', 'linear', 'custom'),
    ),
    'train': Field(int, None, 'pixels, of the last stage', low=8, high=4096),
    'start': Field(
      int, None, 'linear: pixels of the first stage', low=8, high=4096
    ),
    'stages': Field(int, 4, 'linear: number of stages', low=1, high=64),
    'multiple': Field(int, 4, 'linear: stages are multiples of it', low=1),
    'custom': Field(
      tuple,
      (),
      'custom: percent of the run, pixels, percent, pixels, ...',
      item=float,
    ),
    'test': Field(
      int, None, 'pixels in evaluation; unset = train', low=8, high=4096
    ),
    'test_crop': Field(
      float, 0.875, 'part of the short side kept', low=0.1, high=1
    ),
  },
  'optimizer': {
    'name': Field(str, 'sgd', 'the update rule', choices=('sgd',)),
    'lr': Field(float, 0.1, 'peak, for lr_reference_batch examples', low=0),
    'lr_reference_batch': Field(
      int, 256, 'lr grows with batch_size over this; 0 = lr as given', low=0
    ),
    'momentum': _rate(0.9, 'heavy ball'),
    'nesterov': Field(bool, False, 'look ahead'),
    'weight_decay': Field(float, None, 'of the masked parameters', low=0),
    'decoupled': Field(bool, False, 'decay beside the momentum, not as L2'),
    'decay_mask': Field(
      str,
      'kernels',
      'what decays; all_but_norm as the RS authors have it',
      choices=('kernels', 'all_but_norm'),
    ),
    'clip_norm': Field(float, 0.0, 'longest gradient; 0 = any', low=0),
  },
  'schedule': {
    'name': Field(
      str,
      'cosine',
      'of the learning rate after warm-up',
      choices=('cosine', 'constant', 'step'),
    ),
    'drops': Field(
      tuple,
      (100 / 3, 200 / 3, 800 / 9),
      'step: where the rate drops, in percent of the run',
      item=float,
    ),
    'drop_factor': _rate(0.1, 'step: what it is multiplied by'),
    **_duration('total', 'length of the run'),
    **_duration('warmup', 'linear warm-up from 0', percent=True),
  },
  'ema': {
    'decay': _rate(0.9999, 'average of weights and statistics; 0 = none'),
    'dynamic': Field(bool, True, 'min(decay, (1 + n) / (10 + n))'),
  },
  **_duration('log_every', 'a row of training metrics', steps=50),
  **_duration('eval_every', 'evaluation on the validation split', epochs=1.0),
  'checkpoint_every_steps': Field(int, None, 'save the state', low=1),
  'checkpoint_every_minutes': Field(
    float, 10.0, 'save the state', low=0, optional=True
  ),
  'keep': {
    'last': Field(int, 2, 'newest checkpoints kept', low=1),
    'every': Field(int, None, 'and one each so many steps', low=1),
  },
  'profile_steps': Field(tuple, (), 'first and last step to trace', item=int),
  'writers': Field(
    tuple,
    ('tensorboard',),
    'beside the JSON lines: tensorboard, wandb',
    item=str,
  ),
}


FIELDS: dict[str, Field] = dict(flat(SCHEMA))


def field(path: str) -> Field:
  """Returns the field at a dotted path, or raises UsageError."""
  if path in FIELDS:
    return FIELDS[path]
  inside = [name for name in FIELDS if name.startswith(f'{path}.')]
  if inside:
    raise UsageError(
      f'config.{path} is a group of fields: set one of '
      f'{", ".join(f"config.{name}" for name in inside)}.'
    )
  raise UsageError(f'Unknown field config.{path}.{_nearest(path)}')


def _nearest(path: str) -> str:
  """A hint; a name without a group is looked up by its last part alone."""
  whole = near_miss(path, FIELDS).replace("'", "'config.", 1)
  if '.' in path and whole:
    return whole
  names = {name.split('.')[-1]: name for name in reversed(FIELDS)}
  last = path.split('.')[-1]
  close = difflib.get_close_matches(last, names, n=1, cutoff=0.75)
  return f" Did you mean 'config.{names[close[0]]}'?" if close else whole


def defaults() -> dict:
  """Returns the nested dict of all fields at their defaults."""
  return nest({path: field.default for path, field in FIELDS.items()})


def complete(config: Mapping) -> dict[str, object]:
  """Returns `{dotted path: value}` of a config, missing fields at defaults.

  Raises:
    UsageError: a field that does not exist, or a value it cannot hold.
  """
  given = {path: field(path).check(path, v) for path, v in flat(config)}
  return {path: given.get(path, f.default) for path, f in FIELDS.items()}
