"""Scripts in processes of their own: absl's flags are global."""

import subprocess
import sys


def call(script, *arguments, timeout=60):
  """Returns the finished process, its output as text."""
  return subprocess.run(
    [sys.executable, '-m', f'scripts.{script}', *arguments],
    capture_output=True,
    text=True,
    timeout=timeout,
  )
