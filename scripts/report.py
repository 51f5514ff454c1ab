"""Builds report.html of folders of runs, and of sweeps.

python -m scripts.report DIR...
"""

from resflax import report
from resflax.errors import UsageError
from scripts import law_flags
from scripts.command import run


def main(folders: list[str]) -> None:
  """Builds the page of each folder, by what the folder holds."""
  if not folders:
    raise UsageError(
      'No run folder given: python -m scripts.report DIR... takes the '
      '--workdir of scripts.train or scripts.sweep commands.'
    )
  for folder in folders:
    print(_build(folder))


def _build(folder: str) -> object:
  from resflax.sweeps.folder import is_sweep

  if not is_sweep(folder):
    return report.build(folder)
  from resflax.sweeps import page

  return page.build(folder, law_flags.METRIC.value, law_flags.DECADES.value)


if __name__ == '__main__':
  run(main, positional=True)
