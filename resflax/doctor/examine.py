"""All that is looked at, in the order in which a run would meet it."""

import hashlib
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax

from resflax.aot import libtpu
from resflax.doctor import (
  budget,
  devices,
  environment,
  findings,
  folder,
  roll_call,
  run,
)
from resflax.doctor.findings import (
  Finding,
  Row,
  exit_code,
  failed,
  looked_at,
  ok,
)
from resflax.errors import LostPeerError
from resflax.parallel import distributed
from resflax.parallel.cluster import Cluster
from resflax.training import environment as installed

HOSTS, VERSIONS = 'hosts', 'versions'

_COMPARED = ('python', *installed.PACKAGES, 'commit')


class Examination(NamedTuple):
  """What was found.

  Attributes:
    rows: by check and verdict.
    hosts: that were there, by process.
    tells: whether this process is to tell it: one, where all have come.
  """

  rows: list[Row]
  hosts: list[str]
  tells: bool


def examine(
  config: Mapping | None,
  workdir: str | None,
  *,
  cluster: Cluster | None,
  join: Callable[[], None],
  environ: Mapping[str, str],
  wait_seconds: int | float,
) -> Examination:
  """Looks at this host and, together with those of the other hosts, at all.

  To be called by every process of a run; all get the same rows.

  Args:
    config: of the run, nested; None looks at the machine alone.
    workdir: of the run.
    cluster: the processes to join; None where this one is alone.
    join: joins them.
    environ: the environment as it was when the process began.
    wait_seconds: for the other processes to come.
  """
  count = cluster.num_processes if cluster else 1
  host = socket.gethostname()
  found = environment.examine(
    environ, has_tpu=libtpu.is_tpu_here(), num_processes=count
  )
  hosts = {0: host}
  if cluster:
    try:
      hosts = roll_call.call(cluster, host, wait_seconds)
    except LostPeerError as error:
      # The devices of a pod answer once all hosts ask them.
      found = [failed(HOSTS, error), *found]
      return Examination(findings.rows([found], [host]), [host], True)
    join()
    found = [ok(HOSTS, _told(cluster)), *found]
  names = [f'{i} ({hosts[i]})' for i in range(count)]
  found += _together(config, workdir, environ, names, list(hosts.values()))
  gathered = distributed.gathered('findings', [vars(f) for f in found])
  by_process = [[Finding(**each) for each in one] for one in gathered]
  tells = distributed.is_main()
  distributed.leave()  # who exits first would take the others with it
  return Examination(
    findings.rows(by_process, names),
    [hosts[process] for process in range(count)],
    tells,
  )


def _told(cluster: Cluster) -> str:
  return (
    f'{cluster.num_processes} of {cluster.num_processes} are here (by '
    f'{cluster.told_by}; process 0 at {cluster.address})'
  )


def _together(
  config: Mapping | None,
  workdir: str | None,
  environ: Mapping[str, str],
  names: list[str],
  hosts: list[str],
) -> list[Finding]:
  """Returns what can be looked at once all processes have joined."""
  found = devices.examine(environ)
  if any(distributed.gathered('devices', exit_code(found))):
    return found
  found += [*_uneven(names), _versions(names)]
  setup = None
  if config is not None:
    if other := _differing(run.CONFIG, 'the config', config, names):
      return [*found, other]
    here = hosts.count(socket.gethostname())
    looks, setup = run.examine(config, here)
    found += looks
    data = vars(setup.dataset.info) if setup else None
    if other := _differing(run.DATA, 'the data set', data, names):
      found.append(other)
  if workdir is not None:
    shared = folder.examine(workdir, names)
    found += shared
    if not any(finding.exit_code for finding in shared):
      found += looked_at(
        folder.DISK, lambda: folder.examine_disk(workdir, setup)
      )
      if setup:
        found += looked_at(
          folder.RUN, lambda: folder.examine_run(workdir, setup)
        )
  if config is None:
    free = budget.size(budget.free_memory())
    found.append(ok(run.MEMORY, f'{free} free'))
  return found


def _uneven(names: Sequence[str]) -> list[Finding]:
  """Returns that a process has fewer devices than another, if one has."""
  counts = distributed.gathered('device count', jax.local_device_count())
  most = max(counts)
  return [
    failed(
      devices.CHECK,
      LostPeerError(f'Process {name} has {count} devices, others {most}.'),
      'look whether the others are broken, hidden or in use',
    )
    for name, count in zip(names, counts, strict=True)
    if count < most
  ]


def _versions(names: Sequence[str]) -> Finding:
  described = installed.describe()
  own = {name: described[name] for name in _COMPARED}
  everybody = distributed.gathered('versions', own)
  for name, other in zip(names, everybody, strict=True):
    for what, version in other.items():
      if version != everybody[0][what]:
        return failed(
          VERSIONS,
          LostPeerError(
            f'Process {name} has {what} {version}, process {names[0]} '
            f'{everybody[0][what]}.'
          ),
          'install the same on every host: pip install -c constraints.txt -e .',
        )
  said = f'resflax {own["resflax"]}, jax {own["jax"]}, Python {own["python"]}'
  if described['dirty']:
    said += '; the clone has changes that are not committed'
  return ok(VERSIONS, said)


def _differing(
  check: str, what: str, value: Mapping | None, names: Sequence[str]
) -> Finding | None:
  """Returns that processes differ from the main one, if they do."""
  text = json.dumps(value, sort_keys=True, default=str)
  own = hashlib.sha256(text.encode()).hexdigest()
  everybody = distributed.gathered(f'{what} of the doctor', own)
  pairs = zip(names, everybody, strict=True)
  if other := [name for name, each in pairs if each != everybody[0]]:
    return failed(
      check,
      LostPeerError(
        f'Process {", ".join(other)} differs from process {names[0]} in {what}.'
      ),
      'start the same command, on the same data, on every host',
    )
  return None
