"""A run folder as plain data: what training wrote, checked, and no more.

The only file of the report that knows how a run folder is laid out. A run that
is still going, or was cut short, has every part but the last ones, so each but
`config.json` may be missing; what is there has to be sound.
"""

import dataclasses
import functools
import io
import json
import zipfile
import zlib

import numpy as np
from etils import epath
from jaxtyping import Bool, Float, Int, UInt8

from resflax.errors import StorageError, not_a_run

# What NumPy raises for a file that is cut, damaged, or not an .npz of ours.
BROKEN = (
  EOFError,
  KeyError,
  OSError,
  TypeError,
  ValueError,
  zipfile.BadZipFile,
  zlib.error,
)


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Every prediction on one split, and the images chosen to be shown.

  Args:
    split: its name, e.g. `'test'`.
    resolution: side of the evaluated images, in pixels.
    loss: mean cross-entropy, in nats.
    class_names: by class index.
    label: the true class.
    prediction: the class with the largest logit.
    probability: that of the predicted class, 0 to 1.
    label_probability: that of the true class, 0 to 1.
    top5: whether the true class is among the five largest.
    sample_index: which examples are shown: the worst mistakes first, then an
      even sample of the rest.
    sample_image: their pixels, as they were decoded.
  """

  split: str
  resolution: int
  loss: float
  class_names: tuple[str, ...]
  label: Int[np.ndarray, ' examples']
  prediction: Int[np.ndarray, ' examples']
  probability: Float[np.ndarray, ' examples']
  label_probability: Float[np.ndarray, ' examples']
  top5: Bool[np.ndarray, ' examples']
  sample_index: Int[np.ndarray, ' shown']
  sample_image: UInt8[np.ndarray, 'shown height width channels']

  @functools.cached_property
  def correct(self) -> Bool[np.ndarray, ' examples']:
    return self.label == self.prediction


@dataclasses.dataclass(frozen=True)
class Run:
  """One run folder; `evaluation` is None until the run has come to its end."""

  name: str
  config: dict
  derived: dict[str, dict]
  rows: list[dict]
  status: dict
  environment: dict
  evaluation: Evaluation | None
  goodput: dict = dataclasses.field(default_factory=dict)
  dataset: dict = dataclasses.field(default_factory=dict)

  def last(self, key: str) -> dict:
    """Returns the newest row that has `key`, or an empty one."""
    return next((row for row in reversed(self.rows) if key in row), {})

  def series(
    self, key: str
  ) -> tuple[Float[np.ndarray, ' rows'], Float[np.ndarray, ' rows']]:
    """Returns the steps at which `key` was logged as a number, and its values.

    Rows that are not finite are left out: a figure cannot show them.
    """
    pairs = [(row['step'], row[key]) for row in self.rows if key in row]
    steps, values = np.array(pairs, np.float64).reshape(-1, 2).T
    finite = np.isfinite(values)
    return steps[finite], values[finite]


def read_run(workdir: epath.PathLike) -> Run:
  """Reads a run folder, finished or not.

  Raises:
    UsageError: it is not a run folder.
    StorageError: a file in it is not what training writes.
  """
  workdir = epath.Path(workdir)
  if not (workdir / 'config.json').exists():
    raise not_a_run(workdir)
  config = read_object(workdir / 'config.json')
  for name in 'config', 'derived':
    if not isinstance(config.get(name), dict):
      raise _garbage(workdir / 'config.json', f'it has no object {name!r}')
  return Run(
    name=workdir.name or workdir.resolve().name,
    config=config['config'],
    derived=config['derived'],
    rows=_rows(workdir / 'metrics'),
    status=read_object(workdir / 'status.json'),
    environment=read_object(workdir / 'environment.json'),
    evaluation=_evaluation(workdir / 'evaluation.npz'),
    goodput=read_object(workdir / 'goodput.json'),
    dataset=read_object(workdir / 'dataset.json'),
  )


def _garbage(path: epath.Path, reason: object) -> StorageError:
  reason = ' '.join(str(reason).split()).rstrip('.')
  return StorageError(
    f"Cannot read '{path}': {reason}. Restore or delete this file."
  )


def read_object(path: epath.Path) -> dict:
  """Returns the JSON object in a file, empty where there is no such file.

  Raises:
    StorageError: it holds something else.
  """
  if not path.exists():
    return {}
  try:
    value = json.loads(path.read_text())
  except (ValueError, OSError) as error:
    raise _garbage(path, error) from error
  if not isinstance(value, dict):
    raise _garbage(path, f'a JSON object is wanted, not {value!r:.40}')
  return value


def _rows(folder: epath.Path) -> list[dict]:
  """Returns all metrics rows in order of their step."""
  parts = sorted(folder.glob('*.jsonl')) if folder.exists() else []
  rows = []
  for part in parts:
    try:
      lines = part.read_text().splitlines(keepends=True)
    except (ValueError, OSError) as error:
      raise _garbage(part, error) from error
    if part == parts[-1] and lines and not lines[-1].endswith('\n'):
      lines.pop()  # the run is writing this line just now
    for number, line in enumerate(lines, 1):
      try:
        row = json.loads(line)
        _ = row['step'] + 0
      except (ValueError, KeyError, TypeError) as error:
        reason = f"line {number} is not a JSON object with a number 'step'"
        raise _garbage(part, reason) from error
      rows.append(row)
  return rows


def _evaluation(path: epath.Path) -> Evaluation | None:
  if not path.exists():
    return None
  names = [field.name for field in dataclasses.fields(Evaluation)]
  try:
    file = io.BytesIO(path.read_bytes())
    if not zipfile.is_zipfile(file):  # which NumPy would take for a pickle
      raise zipfile.BadZipFile('it is no .npz archive')
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
      values = {name: arrays[name] for name in names}
    _check(values)
  except BROKEN as error:
    raise _garbage(path, error) from error
  return Evaluation(
    **values
    | {
      'split': str(values['split']),
      'resolution': int(values['resolution']),
      'loss': float(values['loss']),
      'class_names': tuple(map(str, values['class_names'])),
    }
  )


def _check(values: dict[str, np.ndarray]) -> None:
  """Raises ValueError where the arrays do not belong together."""
  examples = len(values['label'])
  for name in 'prediction', 'probability', 'label_probability', 'top5':
    if values[name].shape != (examples,):
      raise ValueError(f'{name} has another length than label ({examples})')
  classes = len(values['class_names'])
  for name, limit in (
    ('label', classes),
    ('prediction', classes),
    ('sample_index', examples),
  ):
    if not all(values[name] >= 0) or not all(values[name] < limit):
      raise ValueError(f'{name} has a value outside 0 to {limit - 1}')
  shape = values['sample_image'].shape
  if len(shape) != 4 or shape[0] != len(values['sample_index']):
    raise ValueError('sample_image is not one image for each sample_index')
  if shape[3] not in (1, 3) or values['sample_image'].dtype != np.uint8:
    raise ValueError('sample_image is not uint8 with 1 or 3 channels')
