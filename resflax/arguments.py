"""The text behind `--config=file.py:`, by big_vision's rules.

Source: big_vision, `configs/common.py:parse_arg`: the first bare value goes
to the first name, a bare name is True, an unknown name is an error.
"""

import os
from collections.abc import Mapping

from resflax.errors import UsageError, near_miss, unknown

_BOOLS = {'true': True, 'false': False}


def parse_arg(arg: str | None, **spec) -> dict:
  """Reads the text behind `--config=file.py:`.

  The text is `name=value,name=value`; a bare first value belongs to the first
  name of the spec, a bare name means True.

  Args:
    arg: the text, or None for all defaults.
    **spec: the names and their defaults, whose types are the values'; a type
      in place of a default is one of a value that is None where not given.

  Returns:
    The spec with the values that `arg` gives.

  Raises:
    UsageError: an unknown name, or a value of the wrong type.
  """
  out = {k: None if isinstance(v, type) else v for k, v in spec.items()}
  for position, part in enumerate(arg.split(',') if arg else []):
    name, equals, text = part.partition('=')
    if not equals and name in spec and isinstance(spec[name], bool):
      text = 'true'
    elif not equals and position == 0:
      name, text = next(iter(spec)), part
    elif not equals and not near_miss(name, spec):
      raise UsageError(
        f'Config argument {part!r} is a value without a name, which comes '
        f'first and is of {next(iter(spec))}; there are: {", ".join(spec)} '
        '(--config=file.py:argument).'
      )
    elif name not in spec:
      raise unknown('config argument', name, spec, '--config=file.py:argument')
    out[name] = _convert(name, text, spec)
  return out


def _convert(name: str, text: str, spec: Mapping[str, object]):
  kind = spec[name] if isinstance(spec[name], type) else type(spec[name])
  if kind is bool:
    if text.lower() in _BOOLS:
      return _BOOLS[text.lower()]
  else:
    try:
      return kind(text)
    except ValueError:
      pass
  raise UsageError(
    f'Config argument {text!r} is not a value of {name}, which takes '
    f'{kind.__name__}; there are: {", ".join(spec)} '
    '(--config=file.py:argument).'
  )


def split_folder(arg: str | None) -> tuple[str, str]:
  """Splits `DIR,name=value` where DIR may itself hold ',' and '='.

  The longest beginning that is a folder is the folder; `~` is the home folder.

  Raises:
    UsageError: no beginning of `arg` is a folder.
  """
  parts = (arg or '').split(',')
  for end in range(len(parts), 0, -1):
    folder = ','.join(parts[:end])
    if folder and os.path.isdir(os.path.expanduser(folder)):
      return folder, ','.join(parts[end:])
  above, slash, last = (arg or '').rpartition('/')
  named = above + slash + last.partition(',')[0]
  wrong = f'{named!r} names no folder' if named else 'No folder is given'
  raise UsageError(
    f'{wrong}: give one of class folders, or name=NAME of a prepared data set '
    '(--config=configs/folder.py:DIR).'
  )
