"""Builds report.html of folders of runs, and of sweeps.

python -m scripts.report DIR...
"""

from absl import flags
from etils import epath

from resflax import report
from resflax.errors import UsageError
from resflax.paths import absolute
from scripts import law_flags
from scripts.command import run

FIGURES = flags.DEFINE_bool(
  'figures',
  False,
  'Also write curves.svg, and gradients.svg of a sweep that logged them.',
)


def main(folders: list[str]) -> None:
  """Builds the page of each folder, by what the folder holds."""
  if not folders:
    raise UsageError(
      'No run folder given: python -m scripts.report DIR... takes the '
      '--workdir of scripts.train or scripts.sweep commands.'
    )
  for folder in folders:
    for path in _build(folder):
      print(path)


def _build(folder: str) -> list[object]:
  """Returns the page, and the figures where they are wanted."""
  from resflax.sweeps.folder import is_sweep

  if is_sweep(folder):
    from resflax.sweeps.page import build, save_figures

    page = build(folder, law_flags.METRIC.value, law_flags.least_decades())
  else:
    _refuse_without_a_run(folder)
    page, save_figures = report.build(folder), report.save_figures
  return [page, *(save_figures(folder) if FIGURES.value else ())]


def _refuse_without_a_run(folder: str) -> None:
  path = epath.Path(absolute(folder))
  if not (path / 'config.json').exists():
    held = 'holds no run' if path.exists() else 'is not there'
    raise UsageError(
      f'{folder!r} {held}: give the --workdir of a scripts.train or '
      'scripts.sweep command.'
    )


if __name__ == '__main__':
  run(main, positional=True)
