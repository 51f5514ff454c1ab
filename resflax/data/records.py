"""What a data set is to the rest: splits of records, read by index."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from resflax.data.patience import patiently
from resflax.errors import DataError, StorageError


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
