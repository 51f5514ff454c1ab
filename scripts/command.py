"""One wrapper for every script: errors are one line and an exit code.

absl and ml_collections alone answer a typo with a traceback and exit code 1,
ignore a stray `config.lr=2`, and take an int for a tuple.
"""

import ast
import os
import sys
from collections.abc import Callable, Sequence

from absl import flags

from resflax import schema
from resflax.errors import ResflaxError, UsageError


def run(main: Callable, *, positional: bool = False) -> None:
  """Parses the flags, calls `main(argv)` and exits with the right code.

  Args:
    main: takes the arguments that are not flags.
    positional: whether there may be any.
  """
  try:
    sys.exit(main(parse(sys.argv, positional=positional)))
  except ResflaxError as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(error.exit_code)
  except BrokenPipeError:  # the reader went away, as in `| head`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def parse(argv: Sequence[str], *, positional: bool) -> list[str]:
  """Parses `argv` into absl's flags and returns what is not a flag.

  Raises:
    UsageError: an unknown flag or field, a wrong value, a stray argument.
  """
  if {'--help', '-h', '--helpshort'} & set(argv):
    _help()
  argv, unset = _check_overrides(argv)
  try:
    rest = flags.FLAGS(argv)[1:]
  except ResflaxError:
    raise
  except flags.Error as error:
    raise UsageError(f'{_first_line(error)} (--help lists all)') from error
  except FileNotFoundError as error:
    raise UsageError(
      f'{_given_config(argv)!r} is not a config file: give the path of one, '
      'such as --config=configs/digits.py.'
    ) from error
  except Exception as error:
    raise UsageError(
      f'--config={_given_config(argv)} fails with '
      f'{type(error).__name__}: {_first_line(error)}'
    ) from error
  if rest and not positional:
    hint = ' Flags begin with two dashes.' if '=' in rest[0] else ''
    raise UsageError(f'Stray argument {rest[0]!r}.{hint}')
  for path in unset:
    _assign(flags.FLAGS.config, path, None)
  return rest


def _check_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
  """Checks each `--config.a.b=value`; takes out those that say `None`."""
  kept, unset = [], []
  arguments = iter(argv)
  for argument in arguments:
    name, equals, text = argument.partition('=')
    if not name.startswith(('--config.', '-config.')):
      kept.append(argument)
      continue
    path = name.split('.', 1)[1]
    field = schema.field(path)
    if not equals and field.kind is bool:
      text = 'true'
    elif not equals:
      text = next(arguments, '')
    if text == 'None':
      field.check(path, None)
      unset.append(path)
      continue
    field.check(path, _literal(field, text))
    kept.append(f'--config.{path}={text}')
  return kept, unset


def _literal(field, text: str):
  """Reads a value as its field's type, or leaves it as text to be refused."""
  if field.kind is str:
    return text
  if field.kind is bool:
    return {'true': True, 'false': False}.get(text.lower(), text)
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text


def _assign(config, path: str, value) -> None:
  *groups, name = path.split('.')
  for group in groups:
    config = config[group]
  config[name] = value


def _given_config(argv: Sequence[str]) -> str:
  for argument, following in zip(argv, [*argv[1:], ''], strict=True):
    name, equals, text = argument.partition('=')
    if name in ('--config', '-config'):
      return text if equals else following
  return ''


def _first_line(error: Exception) -> str:
  return str(error).strip().splitlines()[0] if str(error).strip() else '?'


def _help() -> None:
  """Prints the script's docstring, its flags, and the config's fields."""
  print(sys.modules['__main__'].__doc__)
  print(flags.FLAGS.main_module_help().strip())
  if 'config' in flags.FLAGS:
    print('\nFields (--config.FIELD=VALUE, None to unset):')
    for path, field in schema.FIELDS.items():
      default = '' if field.default is None else f' [{field.default}]'
      print(f'  {path}: {field.doc}; {field.expects}{default}')
  sys.exit(0)
