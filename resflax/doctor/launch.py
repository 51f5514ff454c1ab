"""The script that starts a run elsewhere, with the flags of the run."""

import pathlib
import shlex
from collections.abc import Iterator, Sequence

from resflax.doctor import launch_scripts

# By system, the script, and where a run lies if nothing else is said.
SYSTEMS = {
  'slurm': (launch_scripts.SLURM, 'runs/{}'),
  'tpu-vm': (launch_scripts.TPU_VM, 'gs://BUCKET/resflax/{}'),
  'xpk': (launch_scripts.XPK, 'gs://BUCKET/resflax/{}'),
}

# What is of the run, and not of the doctor or of how processes join.
_OF_RUN = ('config', 'workdir')


def script(system: str, config: str, argv: Sequence[str]) -> str:
  """Returns the text of a script that starts a run.

  Args:
    system: one of `SYSTEMS`.
    config: `FILE.py[:ARG]` of the run.
    argv: words of a command, of which the flags of the run are taken over.
  """
  template, workdir = SYSTEMS[system]
  name = pathlib.PurePath(config.partition(':')[0]).stem.replace('_', '-')
  arguments = list(_of_run(argv))
  if not any(word.startswith('--workdir=') for word in arguments):
    arguments.append(f'--workdir={workdir.format(name)}')
  text = shlex.join(arguments)
  for mark, value in (
    ('@NAME@', name),
    ('@ARGUMENTS@', text),
    ('@QUOTED@', shlex.quote(text)),
  ):
    template = template.replace(mark, value)
  return template


def note(system: str, argv: Sequence[str]) -> str:
  """Returns what is to be known of a workdir there; empty where nothing is.

  Args:
    system: one of `SYSTEMS`.
    argv: see `script`.
  """
  _, usual = SYSTEMS[system]
  given = [w for w in _of_run(argv) if w.startswith('--workdir=')]
  if '://' not in usual or not given or '://' in given[-1]:
    return ''
  return (
    f'note: {given[-1]} is a local folder: on a slice of several hosts each '
    'would have its own, unless it lies on a disk that all share; give '
    f'--workdir={usual.format("NAME")}.'
  )


def _of_run(argv: Sequence[str]) -> Iterator[str]:
  """Yields `--flag=value` of the run's flags, however they were given."""
  words = iter(argv)
  for word in words:
    name, equals, value = word.lstrip('-').partition('=')
    if word.startswith('-') and name.split('.')[0] in _OF_RUN:
      yield f'--{name}={value if equals else next(words, "")}'
