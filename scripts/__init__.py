"""The commands: `python -m scripts.NAME`."""

import os
import signal
import sys


def _interrupted(number, frame) -> None:
  """Ends at once: an import may turn KeyboardInterrupt into another error."""
  del number, frame
  os.write(sys.stderr.fileno(), b'interrupted\n')
  os._exit(130)


if sys.argv[0] == '-m':  # as Python calls it while it looks for the command
  signal.signal(signal.SIGINT, _interrupted)
