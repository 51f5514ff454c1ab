"""A driver of a sweep of tiny trainings, to be killed.

python -m tests.sweeps.drive FOLDER LAUNCHER RUNS STEPS [RAY_ADDRESS]
"""

import pathlib
import subprocess
import sys

from resflax.errors import ResflaxError
from resflax.sweeps.driver import run_sweep
from resflax.sweeps.grid import Planned
from resflax.sweeps.launchers import LAUNCHERS
from resflax.sweeps.launchers.job import Settings

MODULE = 'tests.sweeps.tiny_train'


def planned(*seeds, **fields):
  """Runs of a tiny training, for each seed one."""
  return [Planned(f's{seed}', {'seed': seed, **fields}) for seed in seeds]


def driven(runs, folder, launch, **kwargs):
  """Does them in this process; returns their rows."""
  return run_sweep(
    runs, 'unused.py', str(folder), launch, module=MODULE, **kwargs
  )


def driver(folder, launcher, runs, steps, *address, **kwargs):
  """Starts this file; returns the process."""
  return subprocess.Popen(
    [
      *(sys.executable, '-m', 'tests.sweeps.drive', str(folder), launcher),
      *(str(runs), str(steps), *address),
    ],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    **kwargs,
  )


def main(folder, launcher, runs, steps, address=None):
  jobs = 2 if launcher == 'local' else None
  settings = Settings(pathlib.Path(folder), jobs=jobs, ray_address=address)
  kind = LAUNCHERS[launcher]
  kind.poll_s = 0.2
  runs = planned(*range(int(runs)), **{'schedule.total_steps': int(steps)})
  driven(runs, folder, lambda: kind(settings))


if __name__ == '__main__':
  try:
    main(*sys.argv[1:])
  except ResflaxError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
