"""Flags that say of which law a command speaks."""

from absl import flags

METRIC = flags.DEFINE_enum(
  'metric', 'error', ('error', 'loss'), 'Held-out error, or cross-entropy.'
)
DECADES = flags.DEFINE_float(
  'decades',
  None,
  'Least range of compute [1.5; 1.4 if --published].',
  lower_bound=0,
)


def least_decades(default: float | None = None) -> float:
  """Returns the least range of compute."""
  from resflax.sweeps.law import LEAST_DECADES

  asked = default if DECADES.value is None else DECADES.value
  return LEAST_DECADES if asked is None else asked
