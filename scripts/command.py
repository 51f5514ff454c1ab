"""One wrapper for every script: errors are one line and an exit code.

absl and ml_collections alone answer a typo with a traceback and exit code 1,
ignore a stray `config.lr=2`, and take an int for a tuple.
"""

import ast
import contextlib
import math
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from absl import flags

from resflax import schema
from resflax.aot import libtpu
from resflax.errors import (
  PreemptedError,
  ResflaxError,
  StoppedError,
  StorageError,
  UsageError,
  causes,
  failure,
  first_line,
  near_miss,
)
from resflax.training.interruption import Interruption

# Python waits for the threads of a save that failed, or of a compiler.
_AT_ONCE = (StorageError, PreemptedError, StoppedError)

_FIELDS = ('--config.', '-config.')  # how overrides of fields begin


def run(main: Callable, *, positional: bool = False) -> None:
  """Parses the flags, calls `main(argv)` and exits with the right code.

  Args:
    main: takes the arguments that are not flags.
    positional: whether there may be any.
  """
  libtpu.pretend()
  interruption = Interruption(signal.SIGINT)
  interruption.listen()
  line, at_once = '', False
  try:
    code = main(parse(sys.argv, positional=positional))
  except ResflaxError as error:
    code, at_once = error.exit_code, isinstance(error, _AT_ONCE)
    line = f'error: {_one_line(error)}'
  except BrokenPipeError:  # the reader went away, as in `| head`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = 1
  except (KeyboardInterrupt, Exception) as error:
    if interruption.raised:
      code, at_once, line = 130, True, 'interrupted'
    elif _has_peers():
      code, line = 1, ''.join(traceback.format_exception(error))
    else:
      raise
  # Out of `except`, which would keep the error's frames and what they hold.
  # Others would be waited for, who wait for this one.
  _exit(code, line, at_once or bool(code and _has_peers()))


def _has_peers() -> bool:
  distributed = sys.modules.get('resflax.parallel.distributed')
  return distributed is not None and distributed.joined()


def _exit(code: int | None, line: str, at_once: bool) -> None:
  signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is done
  if line:
    print(line, file=sys.stderr, flush=True)
  if at_once:
    with contextlib.suppress(OSError):  # the reader may be gone as well
      sys.stdout.flush()
    os._exit(code)
  sys.exit(code)


def _one_line(error: Exception) -> str:
  lines = (line.strip() for line in str(error).splitlines())
  return ' '.join(filter(None, lines))


def parse(argv: Sequence[str], *, positional: bool) -> list[str]:
  """Parses `argv` into absl's flags and returns what is not a flag.

  Raises:
    UsageError: an unknown flag or field, a wrong value, a stray argument.
  """
  if {'--help', '-h', '--helpshort'} & set(argv):
    _help()
  _check_overridden(argv)
  argv, unset = _check_overrides(argv)
  sys.argv[1:] = argv[1:]  # where ml_collections looks for overrides
  _check_config_exists(_given_config(argv))
  try:
    rest = flags.FLAGS(argv)[1:]
  except (Exception, SystemExit) as error:  # a config file may end itself
    raise UsageError(_reason(error, _given_config(argv))) from error
  _check_finite()
  if rest and not positional:
    hint = ' Flags begin with two dashes.' if '=' in rest[0] else ''
    raise UsageError(f'Stray argument {rest[0]!r}.{hint}')
  for path in unset:
    _assign(flags.FLAGS.config, path, None)
  return rest


def _check_finite() -> None:
  """No bound of a flag keeps nan out."""
  for name in flags.FLAGS:
    value = flags.FLAGS[name].value
    if isinstance(value, float) and not math.isfinite(value):
      raise UsageError(f'--{name}={value} is not a finite number.')


def _check_overridden(argv: Sequence[str]) -> None:
  """A field of no config would be unknown, however it is spelt."""
  fields = [word for word in argv if word.startswith(_FIELDS)]
  if fields and 'config' in flags.FLAGS and not _given_config(argv):
    raise UsageError(
      f'{fields[0]} needs a config to change: give one too, such as '
      '--config=configs/digits.py.'
    )


def _check_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
  """Checks each `--config.a.b=value`; takes out those that say `None`."""
  kept, unset = [], []
  arguments = iter(argv)
  for argument in arguments:
    name, equals, text = argument.partition('=')
    if not name.startswith(_FIELDS):
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


def _check_config_exists(config: str) -> None:
  """Here, for ml_collections tells only when the config is first used."""
  path, _, _ = config.partition(':')
  if path and not os.path.isfile(path):
    folder = os.path.dirname(path) or '.'
    names = os.listdir(folder) if os.path.isdir(folder) else []
    hint = near_miss(path, [os.path.join(folder, name) for name in names])
    raise UsageError(
      f'--config={path} is not a config file.{hint} Give the path of one, such '
      'as --config=configs/digits.py.'
    )


def _reason(error: BaseException, config: str) -> str:
  """One line of an error in the flags, or in the config file itself."""
  root = causes(error)[-1]
  if isinstance(root, ResflaxError):
    return first_line(root)
  if "no attribute 'get_config'" in str(root):
    return f'--config={config} has no function get_config.'
  if isinstance(error, flags.Error) and 'config file' not in str(error):
    return f'{str(error).splitlines()[0]} (--help lists all)'
  return failure(f'--config={config}', error)


def _help() -> None:
  """Prints the script's docstring, its flags, and the config's fields."""
  print(sys.modules['__main__'].__doc__)
  print(flags.FLAGS.main_module_help().strip())
  for module in flags.FLAGS.flags_by_module_dict():
    if module.startswith('scripts.'):  # that the script shares with others
      print(flags.FLAGS.module_help(module))
  if 'config' in flags.FLAGS:
    print('\nFields (--config.FIELD=VALUE, None to unset):')
    for path, field in schema.FIELDS.items():
      default = '' if field.default is None else f' [{field.default}]'
      print(f'  {path}: {field.doc}; {field.expects}{default}')
  sys.exit(0)
