"""The accounts on which the time of a run is kept, and how they are told."""

from collections.abc import Mapping

# In the order in which they are told.
ACCOUNTS = {
  'step': 'training steps',
  'data': 'waiting for data',
  'compile': 'waiting for compilation',
  'evaluate': 'evaluation',
  'save': 'saving',
  'restore': 'restoring',
  'setup': 'set-up and report',
  'lost': 'steps lost to restarts',
}
HIDDEN = 'compile_hidden'


def told(seconds: Mapping[str, float]) -> str:
  """Returns the accounts of a run in a line, but for tiny ones."""
  total = total_of(seconds)
  parts = [
    f'{name} {seconds[key] / total:.1%}'
    for key, name in ACCOUNTS.items()
    if seconds.get(key, 0.0) >= 0.0005 * total
  ]
  hidden = seconds.get(HIDDEN, 0.0)
  beside = f'; {hidden:.1f} s of compilation hidden' if hidden else ''
  return f'{total:.1f} s: {", ".join(parts)}{beside}'


def total_of(seconds: Mapping[str, float]) -> float:
  """Returns the seconds of all accounts that are on the clock."""
  return sum(seconds.get(account, 0.0) for account in ACCOUNTS)
