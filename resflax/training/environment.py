"""What a run ran on, for `environment.json` and the report."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
import sys

import jax

PACKAGES = (
  'resflax',
  'jax',
  'jaxlib',
  'flax',
  'optax',
  'orbax-checkpoint',
  'grain',
  'array_record',
  'tensorflow-datasets',
  'ml_collections',
  'numpy',
)


def describe() -> dict[str, object]:
  """Returns versions, commit, devices and machine as plain data."""
  devices = jax.devices()
  return {
    'python': platform.python_version(),
    'platform': platform.platform(),
    'cores': os.cpu_count(),
    'devices': len(devices),
    'device_kind': devices[0].device_kind,
    'processes': jax.process_count(),
    'command': ' '.join(sys.argv),
    **commit(),
    **{name: version(name) for name in PACKAGES},
  }


def version(package: str) -> str | None:
  """Returns that of an installed package, None where it is not there."""
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None


def commit() -> dict[str, object]:
  """Returns the commit of the clone that this file lies in, if it does."""
  folder = pathlib.Path(__file__).parent

  def git(*arguments: str) -> str:
    return subprocess.run(
      ('git', *arguments),
      cwd=folder,
      check=True,
      capture_output=True,
      text=True,
      timeout=10,
    ).stdout.strip()

  try:
    return {
      'commit': git('rev-parse', 'HEAD'),
      'dirty': bool(git('status', '--porcelain', '--untracked-files=no')),
    }
  except (OSError, subprocess.SubprocessError):
    return {'commit': None, 'dirty': None}


def use_compilation_cache(folder: str | None = None) -> None:
  """Keeps compiled programs on disk, for the next start to find.

  In a folder that only its owner can read, for a cached program is code. JAX's
  own setting wins (`JAX_COMPILATION_CACHE_DIR`).

  Args:
    folder: another one; by default `~/.cache/resflax/xla`.
  """
  if folder is None and jax.config.jax_compilation_cache_dir is None:
    folder = pathlib.Path.home() / '.cache' / 'resflax' / 'xla'
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
  if folder is not None:
    jax.config.update('jax_compilation_cache_dir', str(folder))
  # Initialisation is many programs of half a second.
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)
