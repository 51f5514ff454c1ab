"""The formats, and what is refused before anything slow is imported."""

import importlib.util
import os
from typing import NamedTuple

from resflax.errors import UsageError, unknown
from resflax.paths import absolute


class Format(NamedTuple):
  """A kind of file.

  Attributes:
    ending: of its name.
    packages: which it takes, of the extra of its name.
  """

  ending: str
  packages: tuple[str, ...] = ()


FORMATS = {
  'stablehlo': Format('.stablehlo'),
  'onnx': Format('.onnx', ('onnx', 'onnxruntime')),
  'safetensors': Format('.safetensors'),
}


def chosen(path: str, kind: str | None) -> str:
  """Returns the format of a file that is to be written.

  Args:
    path: of the file.
    kind: one of `FORMATS`; None = by the ending.

  Raises:
    UsageError: it cannot be written there, or needs what is not installed.
  """
  if kind not in (None, *FORMATS):
    raise unknown('format', kind, FORMATS, '--format')
  endings = {f.ending: name for name, f in FORMATS.items()}
  of_ending = endings.get(os.path.splitext(path)[1])
  if of_ending is None or kind not in (None, of_ending):
    wanted = FORMATS[kind].ending if kind else ', '.join(endings)
    raise UsageError(
      f'{path!r} is not written: give a name that ends in {wanted} (DST).'
    )
  if '://' in path:
    raise UsageError(
      f'{path} is not a file of this machine: write one and copy it (DST).'
    )
  for there in (path, beside(path)):
    if os.path.exists(absolute(there)):
      raise UsageError(f'{there} is there already: give another name (DST).')
  check_packages(of_ending)
  return of_ending


def beside(path: str) -> str:
  """Returns the name of the description of a file that holds none itself."""
  return f'{path}.json'


def check_packages(kind: str) -> None:
  """Refuses a format whose packages are not installed.

  Raises:
    UsageError: saying how to install them.
  """
  missing = [
    name
    for name in FORMATS[kind].packages
    if importlib.util.find_spec(name) is None
  ]
  if missing:
    raise UsageError(
      f'--format={kind} needs {" and ".join(missing)}, not installed here: '
      f"pip install -e '.[{kind}]'."
    )
