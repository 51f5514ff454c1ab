"""From the runs of a sweep to the gradients of its labels."""

from collections.abc import Sequence

import numpy as np

from resflax.report.curves import GRADIENT, gradient_parts
from resflax.report.gradients import MOST, Gradients
from resflax.report.read import Run
from resflax.sweeps.folder import Member

_LEAST = 1e-12  # where a gradient is nothing, so that its log is a number


def gradients(members: Sequence[Member]) -> list[Gradients]:
  """Returns the gradients of the first labels that logged them.

  Those of a run are medians over a tenth of its rows; those of a label the
  geometric means over its finished runs.
  """
  labels: dict[str, list[Run]] = {}
  for member in members:
    if member.is_done and gradient_parts(member.run):
      labels.setdefault(member.label, []).append(member.run)
  found = []
  for label, runs in list(labels.items())[:MOST]:
    parts = gradient_parts(runs[0])
    lengths = np.array([[_ends(run, part) for part in parts] for run in runs])
    logs = np.log(np.maximum(lengths, _LEAST))
    first, last = np.exp(logs.mean(0)).T
    found.append(Gradients(label, parts, first, last))
  return found


def _ends(run: Run, part: str) -> tuple[float, float]:
  """Returns the medians over the first and the last tenth of the rows."""
  _, values = run.series(f'{GRADIENT}{part}')
  tenth = max(1, len(values) // 10)
  return float(np.median(values[:tenth])), float(np.median(values[-tenth:]))
