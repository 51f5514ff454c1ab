"""Flags that say of which law a command speaks."""

from absl import flags

METRIC = flags.DEFINE_enum(
  'metric', 'error', ('error', 'loss'), 'Held-out error, or cross-entropy.'
)
DECADES = flags.DEFINE_float(
  'decades', None, 'Least range of compute [1.5; 1.4 if --published].'
)
