"""A run of some seconds, most of them imports: what the faults happen to."""

from configs import digits


def get_config():
  """Returns 120 steps of a tiny net on digits, saved every 10 steps."""
  c = digits.get_config()
  c.batch_size = 16
  c.model.variant = 'resnet20_cifar'
  c.model.depths = (1, 1, 1)
  c.model.width = 0.5
  c.model.dropout_rate = 0.1
  c.resolution.schedule = 'fixed'
  c.resolution.train = 8
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
