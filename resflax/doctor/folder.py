"""The run folder: shared by all processes, writable, and large enough."""

import contextlib
import dataclasses
import os
import shutil
import time
import uuid

import jax
from etils import epath

from resflax.doctor import budget
from resflax.doctor.findings import Finding, failed, looked_at, ok, weighed
from resflax.errors import ResflaxError, StorageError
from resflax.parallel import distributed
from resflax.paths import absolute
from resflax.training.pinned import refuse
from resflax.training.setup import Setup
from resflax.training.workdir import changes_of, not_written, read_json

CHECK, RUN, DISK = 'run folder', 'run in it', 'disk'

_SEEN_S = 10  # until a network disk shows what another host has written
_PAUSE_S = 0.5


def examine(path: str, processes: list[str]) -> list[Finding]:
  """Returns whether all processes see and write the same folder.

  Each writes a file there and reads those of the others; nothing is left.

  Args:
    path: of the run folder, which need not be there.
    processes: their names.
  """
  folder = epath.Path(absolute(path))
  new = _missing(folder)
  # Nobody makes what another has not looked for yet.
  token = distributed.gathered('doctor', uuid.uuid4().hex)[0]
  own = folder / f'.doctor.{token}.{jax.process_index()}'
  wrote = looked_at(CHECK, lambda: _write(own, token))
  codes = distributed.gathered('doctor wrote', wrote[0].exit_code)
  found = wrote
  if not any(codes):
    found = looked_at(CHECK, lambda: _read(folder, token, processes))
  distributed.gathered('doctor read', None)
  with contextlib.suppress(OSError):
    own.unlink(missing_ok=True)
  distributed.gathered('doctor removed', None)
  with contextlib.suppress(OSError):  # the first that is not empty
    for made in new:
      os.rmdir(made)
  return found


def _missing(folder: epath.Path) -> list[epath.Path]:
  """Returns the folder and those above it that are not there, itself first."""
  if '://' in str(folder):
    return []
  return [each for each in (folder, *folder.parents) if not each.exists()]


def _write(own: epath.Path, token: str) -> Finding:
  try:
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(token)
  except OSError as error:
    raise not_written(error, own.parent) from error
  return ok(CHECK, str(own.parent))


def _read(folder: epath.Path, token: str, processes: list[str]) -> Finding:
  """Looks for the files of all processes."""
  files = [folder / f'.doctor.{token}.{i}' for i in range(len(processes))]
  end = time.monotonic() + _SEEN_S
  while not all(there := [file.exists() for file in files]):
    if time.monotonic() > end:
      pairs = zip(processes, there, strict=True)
      unseen = [name for name, is_there in pairs if not is_there]
      raise StorageError(
        f'{str(folder)!r} does not show what process {", ".join(unseen)} '
        'wrote: give a --workdir on a disk that all hosts share, or gs://.'
      )
    time.sleep(_PAUSE_S)
  if len(processes) == 1:
    return ok(CHECK, f'{folder} can be written')
  return ok(CHECK, f'{folder} is shared and can be written by all')


def examine_run(path: str, setup: Setup) -> Finding:
  """Returns what lies in the folder: a run to go on with, or another's."""
  folder = epath.Path(absolute(path))
  if not (folder / 'config.json').exists():
    return ok(RUN, 'none yet')
  info = dataclasses.asdict(setup.dataset.info)
  try:
    refuse(changes_of(folder, setup.resolved, info), folder)
    status = {'state': 'begun', 'step': 0}
    if (folder / 'status.json').exists():
      status = read_json(folder / 'status.json', ['state', 'step'])
  except ResflaxError as error:
    return failed(RUN, error)
  total = setup.resolved.total_steps
  return ok(RUN, f'{status["state"]}, saved at {status["step"]} of {total}')


def examine_disk(path: str, setup: Setup | None) -> Finding:
  """Compares the free space with the checkpoints that a config keeps."""
  folder = absolute(path)
  if '://' in folder:
    return ok(DISK, 'an object store, whose limits are not known here')
  free = shutil.disk_usage(_nearest(folder)).free
  if setup is None:
    return ok(DISK, f'{budget.size(free)} free')
  parts = budget.state_bytes(setup)
  one, count = sum(parts.values()), budget.checkpoints_kept(setup)
  need = max(0, count * one - _bytes_in(os.path.join(folder, 'checkpoints')))
  said = (
    f'{budget.size(free)} free; {count} checkpoints of {budget.size(one)} '
    f'({budget.told(parts)}) take {budget.size(need)}'
  )
  advice = 'lower config.keep.last or config.keep.every, or make room'
  return weighed(DISK, need, free, StorageError(said), advice)


def _nearest(path: str) -> str:
  """The folder, or the nearest above it that is there."""
  while not os.path.exists(path):
    path = os.path.dirname(path)
  return path


def _bytes_in(path: str) -> int:
  """Returns the bytes of the files below a folder."""
  total = 0
  for folder, _, names in os.walk(path):
    for name in names:
      with contextlib.suppress(OSError):  # a run may delete it just now
        total += os.path.getsize(os.path.join(folder, name))
  return total
