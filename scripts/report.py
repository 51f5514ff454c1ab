"""Builds report.html of run folders: python -m scripts.report DIR..."""

from resflax import report
from resflax.errors import UsageError
from scripts.command import run


def main(workdirs: list[str]) -> None:
  if not workdirs:
    raise UsageError(
      'No run folder given: python -m scripts.report DIR... takes the '
      '--workdir of one or more scripts.train commands.'
    )
  for workdir in workdirs:
    print(report.build(workdir))


if __name__ == '__main__':
  run(main, positional=True)
