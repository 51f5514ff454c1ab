"""The report of a run: one HTML file that can be mailed, printed and kept."""

import os

from etils import epath

from resflax.errors import StorageError
from resflax.paths import absolute
from resflax.report.curves import curves, logged_panels
from resflax.report.page import page
from resflax.report.read import read_run
from resflax.report.theme import save


def build(workdir: epath.PathLike) -> epath.Path:
  """Writes `report.html` into a run folder and returns its path.

  A run that is still going gets the report of what there is so far. The file
  is replaced in one step, so a reader never sees half of it.

  Args:
    workdir: the run folder; `gs://` works.

  Raises:
    UsageError: `workdir` is not a run folder.
    StorageError: a file in it is not what training writes, or it is full.
  """
  workdir = epath.Path(absolute(workdir))
  text = page(read_run(workdir))
  path = workdir / 'report.html'
  unfinished = path.with_name(f'.report.html.{os.getpid()}')
  try:
    unfinished.write_text(text)
    unfinished.replace(path)
  except OSError as error:
    raise StorageError(
      f"Cannot write '{path}': {error.strerror or error}. Free some space, or "
      'give yourself the right to write there.'
    ) from error
  return path


def save_figures(workdir: str) -> list[str]:
  """Writes `curves.svg` into a run folder, a local one; returns its path.

  Raises:
    UsageError: `workdir` is not a run folder.
    StorageError: a file in it is not what training writes, or it is full.
  """
  run, path = read_run(workdir), os.path.join(absolute(workdir), 'curves.svg')
  if not logged_panels(run):
    return []
  return [save(path, curves, run, flag='--figures')]
