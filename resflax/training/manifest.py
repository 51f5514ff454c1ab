"""What a saved step consists of: names, sizes and SHA-256 of its files.

Orbax makes a step visible at once, but reads a flipped bit as a number. So a
step counts as saved from the moment its manifest is there, and is read only
where every file is still what was written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping

from etils import epath

from resflax.errors import StorageError

NAME = 'manifest.json'
INCOMPLETE = f'no {NAME}: its save was not finished'


def write_manifest(folder: epath.Path, metrics: Mapping[str, float]) -> None:
  """Writes the manifest of a step that is on disk as a whole.

  Object stores keep checksums of their own, so there sizes alone are kept and
  nothing is read.

  Args:
    folder: of the step.
    metrics: of the evaluation at the step.
  """
  remote = _is_remote(folder)
  files = {
    name: {'bytes': file.stat().length} if remote else _described(file)
    for name, file in _files(folder)
  }
  temporary = folder / f'.{NAME}.tmp'
  temporary.write_text(_text({'metrics': dict(metrics), 'files': files}))
  temporary.replace(folder / NAME)


def read_manifest(folder: epath.Path) -> dict | None:
  """Returns the manifest of a step, None where it is not one or is missing."""
  try:
    text = (folder / NAME).read_text()
    manifest = json.loads(text)
    body = {name: manifest[name] for name in ('metrics', 'files')}
  except (FileNotFoundError, NotADirectoryError):
    return None
  except PermissionError as error:
    raise _refused(folder / NAME) from error
  except (OSError, ValueError, KeyError, TypeError):
    return None
  return body if text == _text(body) else None


def damage(folder: epath.Path) -> str | None:
  """Returns what is wrong with a step, or None where it is intact.

  Raises:
    StorageError: a file may not be read, which does not make it bad.
  """
  if not (folder / NAME).exists():
    return INCOMPLETE
  manifest = read_manifest(folder)
  if manifest is None:
    return f'{NAME} is not what was written'
  for name, expected in manifest['files'].items():
    try:
      length = (folder / name).stat().length
      if length != expected['bytes']:
        return f'{name} has {length} bytes, not {expected["bytes"]}'
      if 'sha256' in expected and _described(folder / name) != expected:
        return f'{name} is not what was written'
    except (FileNotFoundError, NotADirectoryError):
      return f'{name} is missing'
    except PermissionError as error:
      raise _refused(folder / name) from error
    except OSError as error:
      return f'{name} cannot be read ({error.strerror or error})'
  return None


def _described(file: epath.Path) -> dict[str, int | str]:
  with file.open('rb') as content:
    sha = hashlib.file_digest(content, 'sha256').hexdigest()
  return {'bytes': file.stat().length, 'sha256': sha}


def _files(folder: epath.Path, above: str = '') -> Iterator:
  """Yields (name below the step, path) of each file, in order."""
  for path in sorted(folder.iterdir()):
    if path.is_dir():
      yield from _files(path, f'{above}{path.name}/')
    elif not path.name.startswith('.') and path.name != NAME:
      yield f'{above}{path.name}', path


def _text(body: Mapping) -> str:
  """The bytes of a manifest, which end in a checksum of what stands before."""
  content = json.dumps(body, sort_keys=True)
  sha = hashlib.sha256(content.encode()).hexdigest()
  return json.dumps({**body, 'sha256': sha}, indent=1, sort_keys=True) + '\n'


def _is_remote(folder: epath.Path) -> bool:
  return '://' in str(folder)


def _refused(file: epath.Path) -> StorageError:
  return StorageError(f'Cannot read {str(file)!r}: permission denied.')
