"""The next run as a config file that `scripts.train` takes."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from resflax.atomic import whole_file
from resflax.errors import UsageError
from resflax.paths import absolute
from resflax.sweeps.telling import told

_FILE = '''\
"""{title}

  python -m scripts.train --config={path} --workdir=DIR

{provenance}
"""

from configs.base import base_config, shrink
from resflax.arguments import parse_arg


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it."""
  arg = parse_arg(arg, runlocal=False)
  c = base_config()

  # As {recipe} has it.
{base}

  # What grows.
{grown}
  return shrink(c) if arg['runlocal'] else c
'''
_TITLE = 'The next run of a sweep, planned by its law.'
_WIDTH = 80


def write_config(path: str, plan: Mapping) -> str:
  """Writes the config of a plan and returns the file's absolute path.

  Args:
    path: of the file, which ends in .py.
    plan: what `next_run` returns, with the provenance of a fit and whose
      recipe it is.

  Raises:
    UsageError: see `check_config`.
    StorageError: it cannot be written.
  """
  check_config(path)
  file = Path(absolute(path))
  with whole_file(str(file)) as unfinished:
    Path(unfinished).write_text(config_text(path, plan))
  return str(file)


def check_config(path: str) -> None:
  """Refuses a file that a plan cannot be written to.

  Raises:
    UsageError: another ending than .py, or a file of somebody's own.
  """
  if not path.endswith('.py'):
    raise UsageError(f'--write={path} takes a file that ends in .py.')
  file = Path(absolute(path))
  if file.exists() and _TITLE not in file.read_text(errors='replace'):
    raise UsageError(
      f'--write={path} is there and is no plan of a sweep: give another name.'
    )


def config_text(path: str, plan: Mapping) -> str:
  """Returns the file; equal plans give equal files."""
  grown = {name: entry['value'] for name, entry in plan['fields'].items()}
  base = {k: v for k, v in plan['base'].items() if k not in grown}
  lines = [*told(plan), *_sources(plan['provenance'])]
  return _FILE.format(
    title=_TITLE,
    path=_plain(path),
    provenance='\n'.join(_wrapped(line) for line in lines),
    recipe=plan['recipe'],
    base=_assignments(base),
    grown=_assignments(grown),
  )


def _sources(found: Mapping) -> list[str]:
  commits = ', '.join(commit[:12] for commit in found['commits'])
  changed = ' with changes' if found.get('dirty') else ''
  return [
    f'Sweep: {found["sweep"]}, {found["runs"]} runs of '
    f'{len(found["configs"])} configs, by commit {commits or "unknown"}: '
    f'{", ".join(found["configs"])}.',
    f'Planned by resflax {found["resflax"]}, commit '
    f'{(found["commit"] or "unknown")[:12]}{changed}.',
  ]


def _assignments(fields: Mapping[str, object]) -> str:
  return '\n'.join(f'  c.{name} = {value!r}' for name, value in fields.items())


def _wrapped(line: str) -> str:
  """Returns an item of the docstring."""
  return textwrap.fill(
    f'- {_plain(line)}', _WIDTH, subsequent_indent='  ', break_on_hyphens=False
  )


def _plain(text: str) -> str:
  """Returns text that cannot end the docstring."""
  return re.sub(r'["\\]', "'", text)
