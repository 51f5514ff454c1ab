"""What every config starts from, and how it shrinks to a few seconds."""

from ml_collections import config_dict

from resflax import schema
from resflax.variants import variant


def base_config() -> config_dict.ConfigDict:
  """Returns the whole schema at its defaults, locked.

  An unset field is a typed placeholder, so it can be set but not mistyped.
  """
  config = config_dict.ConfigDict()
  for path, field in schema.FIELDS.items():
    *groups, name = path.split('.')
    node = config
    for group in groups:
      if group not in node:
        node[group] = config_dict.ConfigDict()
      node = node[group]
    if field.default is None or field.optional:
      node[name] = config_dict.placeholder(field.kind)
    if field.default is not None:
      node[name] = field.default
  return config.lock()


def imagenet_config(*, batch: int) -> config_dict.ConfigDict:
  """Returns what the ImageNet recipes share: data, precision, cadence."""
  config = base_config()
  config.batch_size = batch
  config.precision = 'bfloat16'
  config.data.name = 'imagenet2012'
  config.log_every_steps = 100
  return config


def shrink(config: config_dict.ConfigDict, *, keep_data: bool = False):
  """Turns a config into `runlocal`: a few steps of a tiny net on digits.

  Everything else stays, so a run shows in seconds, on any machine, that the
  config is whole.

  Args:
    config: is changed.
    keep_data: train on the config's own data set.
  """
  with config.unlocked():
    if not keep_data:
      splits = dict(train_split=None, val_split=None, test_split=None)
      config.data.update(name='digits', mean=None, std=None, **splits)
      config.augment.lighting = 0.0  # digits have no colours
      if config.data.mixture.sources:
        config.data.mixture.sources = ('digits',)
    depths = variant(config.model.variant)['depths']
    if depths:  # an EfficientNet stays whole
      config.model.update(depths=(1,) * len(depths), width=0.125)
    config.init.reset_head = False  # without weights all of it is new
    config.optimizer.lr_factors = ()
    config.batch_size = 16
    config.resolution.update(train=32, start=None, test=None)
    if config.resolution.custom:
      config.resolution.custom = (0.0, 16.0, 50.0, 32.0)
    for unit in ('epochs', 'examples'):
      config.schedule.update({f'total_{unit}': None, f'warmup_{unit}': None})
      config[f'eval_every_{unit}'] = None
    config.schedule.update(total_steps=4, warmup_steps=1, warmup_percent=None)
    config.update(eval_every_steps=4, log_every_steps=1)
  return config
