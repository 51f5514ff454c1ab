"""Who is there, before JAX joins the processes.

JAX's own joining aborts a process that waits in vain, with a stack trace and
without a name. So process 0 listens at its port first, and the others report
there: that also shows whether its address resolves, its port is free, and no
firewall lies between.
"""

import contextlib
import json
import os
import socket
import time

from resflax.errors import LostPeerError
from resflax.parallel.cluster import Cluster, check_address

_LONGEST = 1 << 20  # bytes of a report, or of the answer with all hosts
_SHOWN = 8  # processes that are here, in a message
_REPORT_S = 5  # for a report, once connected
_PAUSE_S = 0.2


def call(cluster: Cluster, host: str, seconds: int | float) -> dict[int, str]:
  """Returns the host of each process, once all have come.

  Args:
    cluster: the processes, and which one this is.
    host: name of this one's.
    seconds: to wait for the others.

  Raises:
    LostPeerError: who is missing, or why process 0 cannot be reached.
  """
  check_address(cluster)
  own = {
    'process': cluster.process_id,
    'of': cluster.num_processes,
    'host': host,
  }
  if cluster.process_id:
    outcome = _report(cluster.address, own, seconds)
  else:
    outcome = _listen(cluster, own, seconds)
  if outcome['wrong']:
    raise LostPeerError(outcome['wrong'])
  return {int(process): host for process, host in outcome['hosts'].items()}


def _listen(cluster: Cluster, own: dict, seconds: int | float) -> dict:
  """Takes the reports of the others; tells them what came of it."""
  deadline = time.monotonic() + seconds
  port = int(cluster.address.rpartition(':')[2])
  reports, connections = {0: own}, []
  with contextlib.ExitStack() as stack:
    server = stack.enter_context(_server(port))
    while len(reports) < cluster.num_processes:
      left = deadline - time.monotonic()
      if left <= 0:
        break
      server.settimeout(left)
      with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        connection = stack.enter_context(server.accept()[0])
        connection.settimeout(_REPORT_S)
        received = _received(connection)
        report = {name: received[name] for name in own}
        reports.setdefault(int(report['process']), report)
        connections.append(connection)
    outcome = _outcome(cluster, reports)
    for connection in connections:
      with contextlib.suppress(OSError):  # it is gone again
        connection.sendall(json.dumps(outcome).encode() + b'\n')
        connection.recv(1)  # it closes first, and the port is free at once
  return outcome


def _server(port: int) -> socket.socket:
  try:
    if socket.has_dualstack_ipv6():
      return socket.create_server(
        ('', port), family=socket.AF_INET6, dualstack_ipv6=True
      )
    return socket.create_server(('', port))
  except OSError as error:
    reason = os.strerror(error.errno)
    raise LostPeerError(
      f'Port {port} of process 0 cannot be had ({reason}): end what uses it, '
      'or set JAX_COORDINATOR_PORT or --coordinator_address to another, '
      'equally on all hosts.'
    ) from error


def _outcome(cluster: Cluster, reports: dict[int, dict]) -> dict:
  expected = range(cluster.num_processes)
  missing = [process for process in expected if process not in reports]
  other = [r for r in reports.values() if r['of'] != cluster.num_processes]
  shown = [f'{p} on {reports[p]["host"]}' for p in sorted(reports)[:_SHOWN]]
  here = ', '.join(shown) + (' and more' if len(reports) > _SHOWN else '')
  wrong = ''
  if other:
    wrong = (
      f'Process {other[0]["process"]} on {other[0]["host"]} is one of '
      f'{other[0]["of"]}, process 0 one of {cluster.num_processes}: start the '
      'same command on every host.'
    )
  elif missing:
    wrong = (
      f'Process {", ".join(map(str, missing))} of {cluster.num_processes} did '
      f'not come; here are {here}: start the same command on every host, look '
      'at the log of the missing, and give no process_id twice.'
    )
  hosts = {process: report['host'] for process, report in reports.items()}
  return {'wrong': wrong, 'hosts': hosts}


def _report(address: str, own: dict, seconds: int | float) -> dict:
  """Reports to process 0; returns what came of it."""
  deadline = time.monotonic() + seconds
  host, _, port = address.rpartition(':')
  error = None
  while time.monotonic() < deadline:
    try:
      left = max(1.0, deadline - time.monotonic())
      with socket.create_connection((host.strip('[]'), port), left) as main:
        main.sendall(json.dumps(own).encode() + b'\n')
        main.settimeout(seconds + _REPORT_S)  # it waits for the others
        return _received(main)
    except (OSError, ValueError) as caught:  # it may not listen yet
      error = caught
      time.sleep(_PAUSE_S)
  reason = getattr(error, 'strerror', None) or str(error)
  raise LostPeerError(
    f'Process 0 cannot be reached at {address} ({reason}): start the same '
    'command on every host, and open the port between them.'
  )


def _received(connection: socket.socket) -> dict:
  """Returns the JSON object in the line that the other end sends."""
  line = b''
  while not line.endswith(b'\n'):
    more = connection.recv(4096)
    if not more or len(line) > _LONGEST:
      raise ValueError('no report')
    line += more
  return json.loads(line)
