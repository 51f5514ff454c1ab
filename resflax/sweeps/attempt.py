r"""One start of a run: what every launcher starts, on whichever machine.

  python -m resflax.sweeps.attempt FOLDER COMMAND...

It holds the run folder's lease, so that no run is trained twice at a time, and
looks whether it is done, so that none is twice to the end. Where the launcher
dies, the run is asked to stop: it saves, and the next driver finds cores and
GPUs free. The command has the lease too, until it has ended.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from resflax.atomic import whole_file
from resflax.sweeps.lease import BEAT_S, HeldError, beat, held

LEASE, RECORD, LOG = '.lease', 'attempt.json', 'log.txt'
HELD = 75  # exit code: somebody else is at work
_LOOK_S = 0.5


def is_done(folder: pathlib.Path) -> bool:
  """Whether a run has come to its end."""
  return read(folder / 'status.json').get('state') == 'done'


def read(file: pathlib.Path) -> dict:
  """Returns the JSON object in a file, empty where there is none."""
  try:
    found = json.loads(file.read_text())
  except (OSError, ValueError):
    return {}
  return found if isinstance(found, dict) else {}


def main(folder: pathlib.Path, command: Sequence[str]) -> int:
  """Runs a command, unless the run is done; returns its exit code."""
  parent = os.getppid()
  folder.mkdir(parents=True, exist_ok=True)
  try:
    with held(folder / LEASE) as lease:
      if is_done(folder):
        return 0
      _write(folder, exit_code=None)
      code = _watched(folder, command, lease, parent)
      _write(folder, exit_code=code)
      return code
  except HeldError:
    return HELD


def _watched(folder, command, lease: int, parent: int) -> int:
  """Runs the command; passes on that it is to stop, once."""
  asked: list[int] = []
  for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: asked.append(number))
  with open(folder / LOG, 'ab') as log:
    log.write(f'$ {shlex.join(command)}\n'.encode())
    log.flush()
    process = subprocess.Popen(
      command,
      stdout=log,
      stderr=log,
      pass_fds=[lease],
      start_new_session=True,  # what is for a group of processes comes by here
      preexec_fn=_end_with_parent,
    )
  told, last_beat = False, time.monotonic()
  while True:
    with contextlib.suppress(subprocess.TimeoutExpired):
      return process.wait(_LOOK_S)
    if not told and (asked or os.getppid() != parent):
      process.terminate()
      told = True
    if time.monotonic() - last_beat > BEAT_S:
      beat(lease)
      last_beat = time.monotonic()


def _end_with_parent() -> None:
  """Has the kernel send SIGTERM where this process is killed (prctl(2))."""
  if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _write(folder: pathlib.Path, exit_code: int | None) -> None:
  record = {'host': os.uname().nodename, 'pid': os.getpid()}
  with whole_file(str(folder / RECORD)) as path:
    pathlib.Path(path).write_text(
      json.dumps({**record, 'exit_code': exit_code}) + '\n'
    )


if __name__ == '__main__':
  sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
