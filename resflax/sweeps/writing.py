"""The files of a fit: all of it as JSON, its points as CSV, and figures."""

import math
import os
import platform
import sys
from collections.abc import Mapping
from json import dumps
from pathlib import Path

from resflax.errors import StorageError
from resflax.report.laws import draw_frontiers, draw_laws
from resflax.report.theme import save
from resflax.sweeps.analysis import described
from resflax.sweeps.published_points import efficientnets, resnet_rs
from resflax.sweeps.table import write_table


def write(folder: str, report: Mapping) -> list[str]:
  """Writes fit.json, fit.csv and the figures; returns their paths.

  Args:
    folder: gets them, and is made where it is not there.
    report: `fits` by name, and `provenance`.

  Raises:
    StorageError: a file cannot be written.
  """
  path, fits = Path(folder), list(report['fits'].items())
  try:
    path.mkdir(parents=True, exist_ok=True)
    (path / 'fit.json').write_text(as_json(report) + '\n')
    write_table(path / 'fit.csv', report['fits'])
  except OSError as error:
    raise StorageError(
      f'Cannot write the fit to {folder!r}: {error.strerror or error} (--out).'
    ) from error
  files = [str(path / 'fit.json'), str(path / 'fit.csv')]
  for kind in ('svg', 'png'):
    files.append(save(str(path / f'fit.{kind}'), draw_laws, fits))
    beside = str(path / f'frontier.{kind}')
    files.append(save(beside, draw_frontiers, [*fits, *_published(fits)]))
  return files


def check_folder(folder: str) -> None:
  """Refuses a folder that a fit cannot be written to, before it is made.

  Raises:
    StorageError: it is a file, or nothing can be written there.
  """
  path = Path(folder)
  above = next(p for p in (path, *path.parents) if p.exists())
  if not above.is_dir() or not os.access(above, os.W_OK):
    reason = 'not writable' if above.is_dir() else 'a file'
    raise StorageError(
      f'Cannot write the fit to {folder!r}: {str(above)!r} is {reason} (--out).'
    )


def _published(fits) -> list[tuple[str, dict]]:
  """Returns the published points to stand beside ResNet-RS on ImageNet."""
  (_, fit), *others = fits
  known = any(point['tpu_ms'] is not None for point in fit['points'])
  if others or not known or fit['metric'] != 'error':
    return []
  found = {'ResNet-RS, published': resnet_rs(), 'EfficientNet': efficientnets()}
  return [
    (name, {**described(points, 'error'), 'level': fit['level']})
    for name, points in found.items()
  ]


def as_json(report: Mapping) -> str:
  """Returns strict JSON: what is not finite is null."""
  return dumps(_finite(report), indent=1, allow_nan=False)


def _finite(value):
  if isinstance(value, Mapping):
    return {name: _finite(part) for name, part in value.items()}
  if isinstance(value, list | tuple):
    return [_finite(part) for part in value]
  if isinstance(value, float) and not math.isfinite(value):
    return None
  return value


def provenance() -> dict:
  """Returns what made a fit: command, commit and versions."""
  from resflax.training.environment import commit, version  # imports JAX

  packages = ('resflax', 'numpy', 'scipy', 'matplotlib')
  return {
    'command': ' '.join(sys.argv),
    **commit(),
    'python': platform.python_version(),
    **{name: version(name) for name in packages},
  }
