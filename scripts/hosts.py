"""The flags by which a command joins its other processes."""

from absl import flags

DISTRIBUTED = flags.DEFINE_enum(
  'distributed',
  'auto',
  ['auto', 'on', 'off'],
  'Join the other processes: auto does where JAX finds a cluster.',
)
_ADDRESS = flags.DEFINE_string(
  'coordinator_address', None, 'HOST:PORT of process 0, where JAX finds none.'
)
_PROCESSES = flags.DEFINE_integer(
  'num_processes', None, 'How many there are, where JAX finds none.'
)
_PROCESS = flags.DEFINE_integer(
  'process_id', None, 'Which one this is, from 0, where JAX finds none.'
)
_HEARTBEAT = flags.DEFINE_integer(
  'heartbeat_seconds', 30, 'After which a silent process is dead.', 1
)


def join() -> None:
  """Joins them, before anything asks for a device."""
  from resflax.parallel import distributed

  distributed.start(
    DISTRIBUTED.value, **_given(), heartbeat_seconds=_HEARTBEAT.value
  )


def found():
  """Returns the `Cluster` that `join` would join, None where there is none."""
  from resflax.parallel import cluster

  return cluster.find(DISTRIBUTED.value, **_given())


def _given() -> dict:
  return {
    'coordinator_address': _ADDRESS.value,
    'num_processes': _PROCESSES.value,
    'process_id': _PROCESS.value,
  }
