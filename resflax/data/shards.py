"""ArrayRecord shards, local or on gs://, whose long ranges are one read."""

import bisect
import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from array_record.python.array_record_module import ArrayRecordReader

from resflax.data.patience import patiently
from resflax.errors import DataError, StorageError

SHORTEST = 4  # records; fewer in a row are read one by one
# Bytes of a request; a longer range is several, at once. 128 photos of
# ImageNet have 14 MB.
REQUEST = 64 << 20

_OPENED_AT_ONCE = 32


class BadShardsError(DataError):
  """Files that are missing, damaged or too short.

  Attributes:
    faults: (file, what is wrong) of each.
  """

  def __init__(self, faults: list[tuple[str, str]]):
    super().__init__(faults)
    self.faults = faults

  def __str__(self) -> str:
    more = f', and {len(self.faults) - 1:,} more' if self.faults[1:] else ''
    return (
      f'{" ".join(self.faults[0])}{more}: copy or prepare the data set again.'
    )


def check_shards(files: Sequence) -> None:
  """Compares the number of records in each file with what the set says.

  Args:
    files: `filename`, and `examples_in_shard` of each.

  Raises:
    BadShardsError: some are missing, damaged at their ends, or too short.
    StorageError: their storage fails.
  """
  if faults := shard_faults(files):
    raise BadShardsError([(str(f.filename), what) for f, what in faults])


def shard_faults(files: Sequence) -> list[tuple]:
  """Returns the files that are not what they should be, and why not."""
  with ThreadPoolExecutor(_OPENED_AT_ONCE) as pool:
    found = zip(files, pool.map(_fault, files), strict=True)
    return [(file, what) for file, what in found if what]


def _fault(file) -> str | None:
  def count() -> int:
    reader = ArrayRecordReader(str(file.filename))
    if not reader.ok():
      reader.close()  # raises, and says why
    return reader.num_records()

  try:
    there = patiently(count, str(file.filename))
  except StorageError:
    raise
  except Exception as error:  # array_record has several kinds
    return f'cannot be opened ({" ".join(str(error).split())})'
  if there == file.examples_in_shard:
    return None
  return f'holds {there:,} examples and should hold {file.examples_in_shard:,}'


class RangedSource:
  """Records by index; those that follow each other are read at once.

  array_record asks gs:// for each record alone. Its source sets
  `readahead_buffer_size` to 0; and with another size, its reader of *indices*
  joins only those of the file's first bytes, for it compares the size with
  offsets into the file (0.8.6). Its reader of *ranges* does what it should.

  Args:
    source: all records by index, for those that are scattered.
    files: where they lie, in order: `filename`, `skip` and `take` of each.
  """

  def __init__(self, source, files: Sequence):
    self.source = source
    self.files = [(f.filename, f.skip) for f in files]
    self.ends = list(itertools.accumulate(f.take for f in files))
    self._begin_closed()

  def _begin_closed(self) -> None:
    self._readers: dict[int, ArrayRecordReader] = {}
    self._locks = [threading.Lock() for _ in self.files]

  def __len__(self) -> int:
    return len(self.source)

  def __getitem__(self, index: int) -> bytes:
    return self.source[index]

  def __getitems__(self, indices: Sequence[int]) -> list[bytes]:
    ranges = list(self._ranges(indices))
    long = [r for r in ranges if len(r) >= SHORTEST]
    others = [i for r in ranges if len(r) < SHORTEST for i in r]
    records = self.source.__getitems__(others) if others else []
    found = dict(zip(others, records, strict=True))
    for indices_read in long:
      records = self._read(indices_read)
      found.update(zip(indices_read, records, strict=True))
    return [found[index] for index in indices]

  def __getstate__(self) -> dict:
    return {name: self.__dict__[name] for name in ('source', 'files', 'ends')}

  def __setstate__(self, state: dict) -> None:
    self.__dict__.update(state)
    self._begin_closed()

  def _ranges(self, indices: Sequence[int]) -> Iterator[range]:
    """Yields the indices as ranges, none of which is in two files."""
    for _, group in itertools.groupby(
      enumerate(indices), lambda pair: (pair[1] - pair[0], self._file(pair[1]))
    ):
      found = [index for _, index in group]
      yield range(found[0], found[-1] + 1)

  def filename(self, index: int) -> str:
    """Returns the file that a record lies in."""
    return str(self.files[self._file(index)][0])

  def _file(self, index: int) -> int:
    return bisect.bisect_right(self.ends, index)

  def _read(self, indices: range) -> list[bytes]:
    file = self._file(indices.start)
    _, skip = self.files[file]
    shift = skip - (self.ends[file - 1] if file else 0)
    reader = self._reader(file)
    return reader.read(indices.start + shift, indices.stop + shift)

  def _reader(self, file: int) -> ArrayRecordReader:
    with self._locks[file]:  # opening it is a request as well
      if file not in self._readers:
        options = f'readahead_buffer_size:{REQUEST}'
        reader = ArrayRecordReader(self.files[file][0], options)
        if not reader.ok():  # on gs://, a missing file opens without a word
          reader.close()  # raises, and says why
        self._readers[file] = reader
      return self._readers[file]
