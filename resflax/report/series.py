"""What a figure takes from a run's logged numbers."""

import numpy as np
from jaxtyping import Float

from resflax.report.read import Run

MOST_POINTS = 400  # of a curve; more would be finer than the pixels


def stage_changes(run: Run) -> Float[np.ndarray, ' changes']:
  """Returns the steps after which the resolution of training changes.

  Known to within a logging interval: the last row of the stage that ends.
  """
  steps, resolution = run.series('resolution')
  return steps[:-1][np.diff(resolution) != 0]


def thin(
  values: Float[np.ndarray, ' rows'], how: np.ufunc = np.add
) -> Float[np.ndarray, ' points']:
  """Reduces a long curve to `MOST_POINTS` runs of rows; leaves a short one.

  Args:
    values: one per row, at least one.
    how: `np.minimum` or `np.maximum` of each run of rows; `np.add`: their mean.
  """
  rows = len(values)
  points = min(rows, MOST_POINTS)
  starts = np.arange(points) * rows // points
  reduced = how.reduceat(values, starts)
  return reduced / np.diff(starts, append=rows) if how is np.add else reduced
