"""Runs in processes of their own, which can be watched, killed and resumed."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from resflax.training.manifest import NAME

ROOT = pathlib.Path(__file__).parents[2]
TIMEOUT = 180  # seconds for anything that is waited for; a start takes five
PAUSE = 0.0005  # seconds between two looks

_STEP = re.compile(r'^step +(\d+)/')


class Life:
  """One start of a run, until it ends.

  Attributes:
    lines: of stdout so far.
    first: seconds until the first step, None before.
  """

  def __init__(
    self,
    workdir,
    *flags,
    cache=None,
    largest_file=None,
    devices=1,
    module='scripts.train',
  ):
    """Starts.

    Args:
      workdir: of the run.
      flags: of scripts.train, beside config and workdir.
      cache: folder for compiled programs.
      largest_file: bytes that the process may write into one.
      devices: that the CPU is divided into.
      module: what trains.
    """
    self.workdir = pathlib.Path(workdir)
    self.lines, self.first = [], None
    # By a shell, for a Python fork of a process with JAX may hang.
    shell = f'ulimit -f {(largest_file or 0) >> 10}; exec "$@"'
    limit = ['bash', '-c', shell, 'bash'] if largest_file else []
    self._began = time.monotonic()
    self._process = subprocess.Popen(
      [
        *limit,
        *(sys.executable, '-u', '-m', module),
        '--config=tests/faults/config.py',
        f'--workdir={workdir}',
        *flags,
      ],
      cwd=ROOT,
      env={
        **os.environ,
        **({'JAX_COMPILATION_CACHE_DIR': cache} if cache else {}),
        'JAX_PLATFORMS': 'cpu',
        'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}',
        'NPROC': '2',  # XLA's threads, on which the order of sums depends
      },
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    self._err = []
    self._readers = [
      threading.Thread(target=self._read_out),
      threading.Thread(target=self._read_err),
    ]
    for reader in self._readers:
      reader.start()

  def _read_out(self):
    with self._process.stdout as lines:
      for line in lines:
        self.lines.append(line)
        if self.first is None and _STEP.match(line):
          self.first = time.monotonic() - self._began

  def _read_err(self):
    with self._process.stderr as lines:
      self._err.extend(lines)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    with contextlib.suppress(ProcessLookupError):
      self._process.kill()
    self._join()

  def _join(self):
    self._process.wait(TIMEOUT)
    for reader in self._readers:
      reader.join(TIMEOUT)

  @property
  def err(self):
    """What was said on stderr, but for warnings of libraries."""
    quiet = ('WARNING', 'UserWarning', 'warnings.warn(')
    lines = (x for x in self._err if not any(word in x for word in quiet))
    return ''.join(lines)

  @property
  def log(self):
    """All of stderr."""
    return ''.join(self._err)

  @property
  def steps(self):
    """The steps that a row was printed of."""
    found = map(_STEP.match, list(self.lines))
    return sorted({int(match[1]) for match in found if match})

  @property
  def digest(self):
    """Of the finished run."""
    return next(x.split()[1] for x in self.lines if x.startswith('digest '))

  def until(self, what):
    """Waits until something is so; the process must not end before."""
    end = time.monotonic() + TIMEOUT
    while not what():
      assert self._process.poll() is None, f'ended: {self.log}'
      assert time.monotonic() < end, 'timed out'
      time.sleep(PAUSE)

  def until_step(self, step):
    """Waits until a step is done."""
    self.until(lambda: self.steps and self.steps[-1] >= step)

  def send(self, number):
    """Sends a signal."""
    self._process.send_signal(number)

  def kill(self, number=signal.SIGKILL):
    """Sends a signal; returns the exit code."""
    self.send(number)
    return self.wait()

  def wait(self):
    """Returns the exit code."""
    self._join()
    return self._process.returncode


@contextlib.contextmanager
def together(workdir, count, *flags, modules=None, **options):
  """Yields the lives of one run over several processes.

  Args:
    workdir: of the run.
    count: of processes.
    flags: as of `Life`.
    modules: what trains in each, where it is not scripts.train.
    options: as of `Life`.
  """
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = '127.0.0.1:{1}'.format(*free.getsockname())
  cluster = (
    f'--coordinator_address={address}',
    f'--num_processes={count}',
    '--heartbeat_seconds=10',
  )
  modules = modules or ['scripts.train'] * count
  with contextlib.ExitStack() as stack:
    yield [
      stack.enter_context(
        Life(
          workdir,
          *(*cluster, f'--process_id={i}', *flags),
          module=module,
          **options,
        )
      )
      for i, module in enumerate(modules)
    ]


def acknowledged(workdir):
  """The step that `status.json` calls saved."""
  file = pathlib.Path(workdir) / 'status.json'
  return json.loads(file.read_text())['step'] if file.exists() else 0


def saved_steps(workdir):
  """The steps on disk that have a manifest."""
  folders = (pathlib.Path(workdir) / 'checkpoints').glob('[0-9]*')
  return sorted(int(x.name) for x in folders if (x / NAME).exists())


def newest(workdir):
  """The newest of them, or 0."""
  return max(saved_steps(workdir), default=0)


def is_saving(workdir):
  """Whether Orbax is writing a step just now."""
  folder = pathlib.Path(workdir) / 'checkpoints'
  return any(folder.glob('*orbax-checkpoint-tmp*'))


def is_committed(workdir, after):
  """Whether there is a step behind `after`, with a manifest or without."""
  folders = (pathlib.Path(workdir) / 'checkpoints').glob('[0-9]*')
  return any(x.name.isdecimal() and int(x.name) > after for x in folders)
