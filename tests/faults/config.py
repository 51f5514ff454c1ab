"""A run of some seconds, most of them imports: what the faults happen to."""

from configs.base import base_config


def get_config():
  """Returns 120 steps of a tiny net on digits, saved every 10 steps."""
  c = base_config()
  c.batch_size = 16
  c.data.name = 'digits'
  c.data.train_split = 'train[:90%]'
  c.data.val_split = 'train[90%:]'
  c.data.test_split = 'test'
  c.augment.crop = 'pad'
  c.augment.flip = False
  c.model.variant = 'resnet20_cifar'
  c.model.depths = (1, 1, 1)
  c.model.width = 0.5
  c.model.dropout_rate = 0.1
  c.resolution.train = 8
  c.resolution.test_crop = 1.0
  c.optimizer.lr_reference_batch = 0
  c.schedule.total_epochs = None
  c.schedule.total_steps = 120
  c.schedule.warmup_epochs = None
  c.schedule.warmup_steps = 10
  c.eval_every_epochs = None
  c.eval_every_steps = 60
  c.log_every_steps = 1
  c.checkpoint_every_steps = 10
  c.writers = ()
  return c
