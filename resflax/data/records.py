"""What a data set is to the rest: splits of records, read by index."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol, runtime_checkable

from resflax.data.patience import patiently
from resflax.errors import DataError, StorageError, UsageError, unknown

FIELDS = 'config.data.*_split, or --split'

_SPEC = re.compile(
  r'(?P<name>[^\[\]]+)(\[(?P<start>[^:\]]*):(?P<stop>[^:\]]*)\])?'
)
_BOUND = re.compile(r'(?P<number>-?\d+)|(?P<percent>-?\d+(\.\d+)?)%')


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
  """What is known of a data set without reading an image.

  Attributes:
    name: as given to `load_dataset`.
    version: changes when the examples or their order do.
    class_names: by label.
    channels: of the images, 1 or 3.
    splits: the number of examples by split.
  """

  name: str
  version: str
  class_names: tuple[str, ...]
  channels: int
  splits: Mapping[str, int]

  @property
  def num_classes(self) -> int:
    return len(self.class_names)


@runtime_checkable
class Records(Protocol):
  """Examples by index: `{'image': bytes or uint8 [h, w, c], 'label': int}`.

  They are sent to worker processes, so they must be picklable, and cheap to
  open again. Two methods are optional: `__getitems__(indices)` reads several
  at once, and `where(index)` says where an example is, for messages; it may
  read the example, and must not fail where that does.
  """

  def __len__(self) -> int: ...

  def __getitem__(self, index: int) -> dict: ...


@runtime_checkable
class Dataset(Protocol):
  """Named splits of records; `split('train[:98%]')` gives a part of one."""

  info: DatasetInfo

  def split(self, spec: str) -> Records: ...


@dataclasses.dataclass(frozen=True, repr=False)
class Slice:
  """The records `start` to `stop` of others; `spec` names the part."""

  records: Records
  start: int
  stop: int
  spec: str

  def __len__(self) -> int:
    return self.stop - self.start

  def __getitem__(self, index: int) -> dict:
    if not 0 <= index < len(self):
      raise IndexError(f'{index} of {len(self)} examples of {self.spec}')
    return self.records[self.start + index]

  def __getitems__(self, indices: Sequence[int]) -> list[dict]:
    return read(self.records, [self.start + i for i in indices])

  def where(self, index: int) -> str:
    return where(self.records, self.start + index)

  def __repr__(self) -> str:
    return f'{self.spec} ({len(self)} examples)'


def read(records: Records, indices: Sequence[int]) -> list[dict]:
  """Reads several records, at once where the source can.

  Raises:
    DataError: an example that cannot be read, and where it is.
  """
  examples = read_each(records, indices)
  for index, example in zip(indices, examples, strict=True):
    if isinstance(example, DataError):
      raise DataError(f'Cannot use {where(records, index)}: {example}')
  return examples


def read_each(
  records: Records, indices: Sequence[int]
) -> list[dict | DataError]:
  """Reads several records, with the error in place of one that cannot be.

  A source that fails at once is read one by one, to tell which example it is.

  Raises:
    StorageError: the storage fails, not an example.
  """
  if hasattr(records, '__getitems__'):
    try:
      return patiently(lambda: records.__getitems__(indices), records)
    except StorageError:
      raise
    except Exception:  # of any kind: array_record has RuntimeError and more
      pass
  return [_read_one(records, index) for index in indices]


def where(records: Records, index: int) -> str:
  """Says where an example is, as closely as the source can."""
  if hasattr(records, 'where'):
    return records.where(index)
  return f'example {index} of {records!r}'


def parse_split(spec: str, info: DatasetInfo) -> tuple[str, int, int]:
  """Turns `'train[10%:90%]'` into `('train', start, stop)`.

  Bounds are counts or percent, from the end where negative. A percentage is
  rounded to the nearest example (half to even, as in TFDS), so that `[:p%]`
  and `[p%:]` share none and miss none.

  Raises:
    UsageError: an unknown split, a malformed or empty slice.
  """
  match = _SPEC.fullmatch(spec)
  if not match:
    raise UsageError(
      f'Malformed split {spec!r}. Write a name and maybe a slice, such as '
      f"'train', 'train[:98%]' or 'test[:1000]' ({FIELDS})."
    )
  name = match['name']
  if name not in info.splits:
    raise unknown(f'split of {info.name}', name, info.splits, FIELDS)
  size = info.splits[name]
  start = _bound(match['start'], size, spec) if match['start'] else 0
  stop = _bound(match['stop'], size, spec) if match['stop'] else size
  if not 0 <= start < stop <= size:
    raise UsageError(
      f'Split {spec!r} is {start}:{stop} of {size} examples: a slice needs '
      f'0 <= start < stop <= {size} ({FIELDS}).'
    )
  return name, start, stop


def take(spec: str, info: DatasetInfo, records: Records) -> Records:
  """Returns the part of a split's records that a spec asks for."""
  _, start, stop = parse_split(spec, info)
  if len(records) == stop - start:
    return records
  return Slice(records, start, stop, f'{info.name} {spec}')


class DefaultSplits(NamedTuple):
  """Which examples to train on, to choose by, and to test on once."""

  train: str
  val: str
  test: str
  reason: str

  @property
  def by_field(self) -> dict[str, str]:
    """The splits by the fields of `config.data`."""
    return {f'{name}_split': getattr(self, name) for name in self._fields[:3]}


def default_splits(info: DatasetInfo) -> DefaultSplits:
  """Chooses the splits where the user names none.

  Validation is never the test split: where the data set has only two splits,
  it is the last 2 % of train.

  Source: Bello et al. 2021, section 4: a "minival" of 2 % of ImageNet's
  training images (20 of 1,024 shards).

  Raises:
    UsageError: there is no split to train on.
  """
  have = set(info.splits)
  if {'train', 'validation', 'test'} <= have:
    reason = 'the data set has all three'
    return DefaultSplits('train', 'validation', 'test', reason)
  test = next((name for name in ('test', 'validation') if name in have), None)
  if 'train' in have and test:
    reason = f'no third split: val is the last 2 % of train, test is {test!r}'
    return DefaultSplits('train[:98%]', 'train[98%:]', test, reason)
  if 'train' in have:
    reason = 'only a train split: 80 / 10 / 10 %'
    return DefaultSplits('train[:80%]', 'train[80%:90%]', 'train[90%:]', reason)
  raise UsageError(
    f"{info.name} has no split 'train', only {', '.join(info.splits)}: "
    'set config.data.train_split, val_split and test_split.'
  )


class _Place(NamedTuple):
  """Where an example is, found out when it is printed."""

  records: Records
  index: int

  def __str__(self) -> str:
    return where(self.records, self.index)


def _read_one(records: Records, index: int) -> dict | DataError:
  try:
    return patiently(lambda: records[index], _Place(records, index))
  except StorageError:
    raise
  except DataError as error:
    return error
  except Exception as error:
    return DataError(f'cannot be read: {error}')


def _bound(text: str, size: int, spec: str) -> int:
  match = _BOUND.fullmatch(text)
  if not match:
    raise UsageError(
      f'Malformed bound {text!r} in split {spec!r}: a count such as 1000, or '
      f'a percentage such as 98% ({FIELDS}).'
    )
  if match['number']:
    bound = int(match['number'])
  else:
    percent = Fraction(match['percent'])
    bound = round(percent * size / 100) if abs(percent) <= 100 else size + 1
  return bound + size if text.startswith('-') else bound
