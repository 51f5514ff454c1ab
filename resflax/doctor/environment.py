"""Environment variables that another job has left, or that mislead a run."""

from collections.abc import Iterator, Mapping

from resflax.doctor.findings import Finding, failed, ok, warning
from resflax.errors import LostPeerError

CHECK = 'environment'

_SLICES = 'MEGASCALE_NUM_SLICES'
_SLICE_ID = 'MEGASCALE_SLICE_ID'
_OF_SLICES = ('MEGASCALE_COORDINATOR_ADDRESS', _SLICES, _SLICE_ID)
_OF_TPUS = ('TPU_', 'MEGASCALE_', 'CLOUD_TPU_')

# Which part of the chips a process gets; set for experiments on one chip.
_PARTS = (
  *('TPU_VISIBLE_CHIPS', 'TPU_VISIBLE_DEVICES'),
  *('TPU_PROCESS_BOUNDS', 'TPU_CHIPS_PER_PROCESS_BOUNDS'),
)
_PROXIES = ('http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy')


def examine(
  environ: Mapping[str, str], *, has_tpu: bool, num_processes: int
) -> list[Finding]:
  """Returns what is wrong with the environment of this process.

  Args:
    environ: as it was when the process began.
    has_tpu: whether the machine has one.
    num_processes: of the run.
  """
  found = [
    *(_of_tpu(environ) if has_tpu else _of_no_tpu(environ)),
    *_of_any(environ, num_processes),
  ]
  return found or [ok(CHECK, 'no variable that misleads a run')]


def _of_no_tpu(environ: Mapping[str, str]) -> Iterator[Finding]:
  left = sorted(name for name in environ if name.startswith(_OF_TPUS))
  if left:
    yield warning(
      CHECK, f'{", ".join(left)}: set, and no TPU is here', _unset(left)
    )


def _of_tpu(environ: Mapping[str, str]) -> Iterator[Finding]:
  if parts := [name for name in _PARTS if name in environ]:
    yield warning(
      CHECK,
      f'{_shown(environ, parts)}: not all chips may be used',
      _unset(parts),
    )
  names = environ.get('TPU_WORKER_HOSTNAMES', '')
  # JAX looks there first.
  hosts = environ.get('TPU_PROCESS_ADDRESSES', names).split(',')
  worker = environ.get('TPU_WORKER_ID', '0')
  if not (worker.isdecimal() and int(worker) < len(hosts)):
    yield failed(
      CHECK,
      LostPeerError(
        f'TPU_WORKER_ID={worker} is not one of {len(hosts)} in '
        'TPU_WORKER_HOSTNAMES: of another job.'
      ),
      _unset(['TPU_WORKER_ID', 'TPU_WORKER_HOSTNAMES']),
    )
  if 'TPU_SKIP_MDS_QUERY' in environ and hosts == ['']:
    yield warning(
      CHECK,
      'TPU_SKIP_MDS_QUERY is set: JAX does not look for other hosts',
      _unset(['TPU_SKIP_MDS_QUERY']),
    )
  yield from _of_slices(environ)


def _of_slices(environ: Mapping[str, str]) -> Iterator[Finding]:
  given = [name for name in _OF_SLICES if environ.get(name)]
  if not given:
    return
  missing = [name for name in _OF_SLICES if name not in given]
  count, index = environ.get(_SLICES, ''), environ.get(_SLICE_ID, '')
  if missing:
    wrong = f'{", ".join(given)}: set without {", ".join(missing)}.'
  elif not (
    count.isdecimal() and index.isdecimal() and int(index) < int(count)
  ):
    wrong = f'{_SLICE_ID}={index} is not one of {_SLICES}={count}.'
  else:
    return
  yield failed(
    CHECK,
    LostPeerError(wrong),
    f'for one slice {_unset(given)}; for several start anew with gcloud or xpk',
  )


def _of_any(
  environ: Mapping[str, str], num_processes: int
) -> Iterator[Finding]:
  if 'force_host_platform_device_count' in environ.get('XLA_FLAGS', ''):
    yield warning(
      CHECK,
      f'XLA_FLAGS={environ["XLA_FLAGS"]}: the CPU counts as several devices',
      _unset(['XLA_FLAGS']),
    )
  tasks = environ.get('SLURM_NTASKS', '1')
  if num_processes == 1 and tasks != '1':
    yield warning(
      CHECK,
      f'SLURM_NTASKS={tasks}, and this process is alone',
      'start it with srun, and not with --distributed=off',
    )
  proxies = [n for n in environ if n.lower() in _PROXIES and environ[n]]
  if proxies and num_processes > 1:
    yield warning(
      CHECK,
      f'{", ".join(proxies)}: gRPC, by which processes join, goes through it',
      f'{_unset(proxies)}, or name the hosts in no_proxy',
    )


def _unset(names: list[str]) -> str:
  return f'unset {" ".join(names)}'


def _shown(environ: Mapping[str, str], names: list[str]) -> str:
  return ', '.join(f'{name}={environ[name]}' for name in names)
