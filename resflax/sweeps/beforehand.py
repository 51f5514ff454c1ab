"""What has to be asked of JAX about a sweep, in a process that ends.

A driver lives as long as its sweep. JAX would take the memory of a GPU, or the
TPU, from its runs, and has threads, beside which Ray may not fork.
"""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Sequence

from resflax.sweeps.grid import Planned


def estimates(runs: Sequence[Planned], config: str, workdir: str) -> list:
  """Returns what `estimate.estimate` does; see there."""
  with concurrent.futures.ProcessPoolExecutor(
    1, multiprocessing.get_context('spawn'), _leave_accelerators
  ) as process:
    return process.submit(_estimate, list(runs), config, workdir).result()


def _leave_accelerators() -> None:
  os.environ['JAX_PLATFORMS'] = 'cpu'


def _estimate(runs: list[Planned], config: str, workdir: str) -> list:
  from resflax.sweeps.estimate import estimate

  return estimate(runs, config, workdir)
