"""A Slurm of one node on this machine, for tests that submit to it for real.

Needs root and Debian's slurm-wlm and munge. Everything it keeps lies in one
folder, and its ports are free ones, so it meets no other Slurm.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

PARTITION = 'test'
_TIMEOUT = 30  # seconds for anything that is waited for; all of it takes two
_DAEMONS = ('munged', 'slurmctld', 'slurmd')  # in the order they start


def missing() -> str | None:
  """Returns why there can be no Slurm here, None where there can."""
  absent = [name for name in _DAEMONS if not shutil.which(name)]
  if absent:
    return f'needs Slurm (apt-get install slurm-wlm munge): no {absent[0]} here'
  if os.geteuid():
    return 'needs root, as which the daemons of Slurm run'
  return None


@contextlib.contextmanager
def slurm_cluster(cpus: int = 2) -> Iterator[dict[str, str]]:
  """Yields the environment in which `sbatch`, `srun` and others work.

  Args:
    cpus: that jobs may take at the same time; the machine may have fewer.
  """
  # Not pytest's folder, which may be too long for the name of a socket.
  folder = pathlib.Path(tempfile.mkdtemp(prefix='slurm_'))
  environment = {**os.environ, 'SLURM_CONF': str(folder / 'slurm.conf')}
  try:
    _write_config(folder, cpus)
    _start(folder, environment)
    yield environment
  finally:
    _cancel_jobs(environment)
    _end([folder / f'{daemon}.pid' for daemon in _DAEMONS])
    shutil.rmtree(folder, ignore_errors=True)


def _write_config(folder: pathlib.Path, cpus: int) -> None:
  folder.chmod(0o755)  # munged insists
  key = folder / 'munge.key'
  key.write_bytes(os.urandom(128))
  key.chmod(0o600)
  controller, node = _free_ports(2)
  host = socket.gethostname()
  # The node is called localhost, which JAX connects to, and resolves anywhere.
  # Ids begin at the port's number, as JAX takes its own port from a job's id.
  (folder / 'slurm.conf').write_text(f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
FirstJobId={controller}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName={PARTITION} Nodes=localhost Default=YES DefaultTime=10 State=UP
""")


def _free_ports(count: int) -> list[int]:
  with contextlib.ExitStack() as stack:
    found = [stack.enter_context(socket.socket()) for _ in range(count)]
    for each in found:
      each.bind(('', 0))
    return [each.getsockname()[1] for each in found]


def _start(folder: pathlib.Path, environment: dict[str, str]) -> None:
  munge = [
    *('--force', f'--key-file={folder}/munge.key'),
    *(f'--socket={folder}/munge.socket', f'--pid-file={folder}/munged.pid'),
    *(f'--log-file={folder}/munged.log', f'--seed-file={folder}/munge.seed'),
  ]
  # Each goes into the background by itself.
  for command in (['munged', *munge], ['slurmctld'], ['slurmd']):
    subprocess.run(
      command,
      env=environment,
      check=True,
      stdout=subprocess.DEVNULL,
      stderr=subprocess.DEVNULL,
      timeout=_TIMEOUT,
    )
  if not _wait_until(lambda: _state(environment) == 'idle'):
    logs = (file.read_text() for file in sorted(folder.glob('*.log')))
    raise TimeoutError('\n'.join(('Slurm did not come up.', *logs)))


def _state(environment: dict[str, str]) -> str:
  """Returns how the node is: idle where it is up and no job is on it."""
  return subprocess.run(
    ['sinfo', '--noheader', '--format=%t'],
    env=environment,
    capture_output=True,
    text=True,
    timeout=_TIMEOUT,
  ).stdout.strip()


def _cancel_jobs(environment: dict[str, str]) -> None:
  """Ends what a failed test has left, which would outlive the daemons."""
  with contextlib.suppress(OSError, subprocess.SubprocessError):
    subprocess.run(
      ['scancel', f'--partition={PARTITION}', '--signal=KILL', '--full'],
      env=environment,
      capture_output=True,
      timeout=_TIMEOUT,
    )
    _wait_until(lambda: _state(environment) == 'idle')


def _end(pid_files: Sequence[pathlib.Path]) -> None:
  """Ends the daemons that have started, all at once: each takes a second."""
  pids = [int(file.read_text()) for file in pid_files if file.exists()]
  for number in (signal.SIGTERM, signal.SIGKILL):
    for pid in filter(_lives, pids):
      os.kill(pid, number)
    if _wait_until(lambda: not any(map(_lives, pids))):
      return


def _lives(pid: int) -> bool:
  """Whether a process is there, and not merely unread by its parent."""
  try:
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
  except (FileNotFoundError, ProcessLookupError):
    return False
  return stat.rpartition(')')[2].split()[0] != 'Z'


def _wait_until(true: Callable[[], bool]) -> bool:
  """Returns whether something became so within the time there is."""
  end = time.monotonic() + _TIMEOUT
  while not true():
    if time.monotonic() > end:
      return False
    time.sleep(0.1)
  return True
