"""Which processes belong together: as the flags say, or as JAX finds out.

JAX asks the same (TPU pods, Slurm, Open MPI, Kubernetes) and tells nobody; who
wants to know before the processes join has to ask it.
"""

import os
import socket
from typing import NamedTuple

from jax._src import clusters

from resflax.errors import LostPeerError, UsageError, first_line

FLAGS = 'flags'  # who told where the flags do

_WAIT_S = 120  # for the name of process 0 to resolve


class Cluster(NamedTuple):
  """The processes of one program.

  Attributes:
    told_by: `slurm`, `gcetpu` and so on, or `flags`.
    address: `HOST:PORT` of process 0.
    num_processes: of the program.
    process_id: of this one.
  """

  told_by: str
  address: str
  num_processes: int
  process_id: int


def find(
  mode: str,
  coordinator_address: str | None,
  num_processes: int | None,
  process_id: int | None,
) -> Cluster | None:
  """Returns the processes that this one is to join, None where there are none.

  Args:
    mode: see `distributed.start`, as for the others.
    coordinator_address: of process 0.
    num_processes: of the program.
    process_id: of this one.

  Raises:
    UsageError: half of what is needed, or nothing to be found.
    LostPeerError: the address of process 0 does not come.
  """
  given = (coordinator_address, num_processes, process_id)
  if any(value is not None for value in given):
    if None in given or mode == 'off':
      raise UsageError(
        '--coordinator_address, --num_processes and --process_id belong '
        'together, and with --distributed=on or auto.'
      )
    if not 0 <= process_id < num_processes:
      raise UsageError(
        f'--process_id={process_id}: of --num_processes={num_processes} they '
        f'are 0 to {num_processes - 1}.'
      )
    return Cluster(FLAGS, *given)
  found = _found() if mode != 'off' else None
  if found is None and mode == 'on':
    raise UsageError(
      '--distributed=on: JAX finds no cluster: give --coordinator_address, '
      '--num_processes and --process_id.'
    )
  if found is None or (mode == 'auto' and found.get_process_count() < 2):
    return None
  return Cluster(
    found.name or found.__name__,
    os.environ.get('JAX_COORDINATOR_ADDRESS') or _address(found),
    found.get_process_count(),
    found.get_process_id(),
  )


def check_address(cluster: Cluster) -> None:
  """Refuses flags whose address leads nowhere; else JAX tries it in silence.

  Names that JAX found may come to be known only once all hosts are up.

  Raises:
    LostPeerError: it does not resolve.
  """
  if cluster.told_by != FLAGS:
    return
  host, _, port = cluster.address.rpartition(':')
  try:
    socket.getaddrinfo(host.strip('[]'), port)
  except OSError as error:
    raise LostPeerError(
      f'Process 0 cannot be reached at {cluster.address} ({error.strerror}): '
      'give --coordinator_address=HOST:PORT with a name that this host knows, '
      'or an IP address.'
    ) from error


def _address(found: type[clusters.ClusterEnv]) -> str:
  port = os.environ.get('JAX_COORDINATOR_PORT')
  try:
    return found.get_coordinator_address(_WAIT_S, port)
  except RuntimeError as error:  # its name does not resolve
    raise LostPeerError(
      f'Process 0 is not found within {_WAIT_S} s: '
      f'{first_line(error).rstrip(".")}.'
    ) from error


def _found() -> type[clusters.ClusterEnv] | None:
  """Returns the first that JAX would take."""
  for cluster in clusters.ClusterEnv._cluster_types:
    if not cluster.opt_in_only_method and cluster.is_env_present():
      return cluster
  return None
