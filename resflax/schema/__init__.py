"""The config schema: every field's name, type, default, range and meaning.

One table is what the config files start from, what overrides are checked
against, what an error message quotes and what the docs print. `None` means
"unset": the variant, the data set or a rule decides, and `config.resolve`
writes down which and why.
"""

import difflib
from collections.abc import Mapping

from resflax.errors import UsageError, near_miss
from resflax.fields import Field, duration, flat, nest
from resflax.schema.data import DATA
from resflax.schema.model import MODEL
from resflax.schema.training import TRAINING

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
  **MODEL,
  **DATA,
  **TRAINING,
  'log_gradient_norms': Field(
    bool, False, 'of stem, stages and head, in the training metrics'
  ),
  **duration('log_every', 'a row of training metrics', steps=50),
  **duration('eval_every', 'evaluation on the validation split', epochs=1.0),
  'checkpoint_every_steps': Field(int, None, 'save the state', low=1),
  'checkpoint_every_minutes': Field(
    float, 10.0, 'save the state', low=0, optional=True
  ),
  'keep': {
    'last': Field(int, 2, 'newest checkpoints kept', low=1),
    'every': Field(int, None, 'and one each so many steps', low=1),
  },
  'watchdog': {
    account: Field(float, seconds, f'longest {what}; 0 = any', low=0)
    for account, seconds, what in (
      ('step', 300.0, 'wait for a step'),
      ('data', 600.0, 'wait for a batch'),
      ('compile', 3600.0, 'wait for a program'),
      ('evaluate', 300.0, 'wait for a batch of evaluation'),
      ('save', 900.0, 'wait for a save'),
      ('restore', 1800.0, 'reading of a checkpoint'),
      ('setup', 3600.0, 'start, or report'),
    )
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
