"""Writing records to ArrayRecord files, one after the other."""

import contextlib
import hashlib
import itertools
import math
import os
from collections.abc import Iterator
from typing import NamedTuple

from array_record.python.array_record_module import ArrayRecordWriter

from resflax.data.passes import tracked

# Beside the shards: the SHA-256 of each, by file name.
CHECKSUMS = 'sha256.json'
SHARD_BYTES = 256 << 20  # of records, after which a file is full


class Shard(NamedTuple):
  """A file that was written.

  Attributes:
    path: where it is.
    count: of its records.
    size: of its records, in bytes.
    sha256: of the file, in hex.
  """

  path: str
  count: int
  size: int
  sha256: str


def write_shards(prefix: str, records: Iterator[bytes]) -> list[Shard]:
  """Writes the records in their order to PREFIX-0, PREFIX-1, ...

  Raises:
    OSError: a file that cannot be written.
  """
  shards = []
  for first in records:
    path = f'{prefix}-{len(shards)}'
    rest = itertools.chain([first], records)
    shards.append(write_shard(path, rest, SHARD_BYTES))
  return shards


def checksums(folder: str) -> dict[str, str]:
  """Returns the SHA-256 of each ArrayRecord file of a folder, by name.

  Raises:
    OSError: one that cannot be read.
  """
  return {
    name: sha256(os.path.join(folder, name))
    for name in tracked(shard_names(folder), 'Checksums')
  }


def shard_names(folder: str) -> list[str]:
  """Returns the names of a folder's ArrayRecord files, sorted."""
  return [n for n in sorted(os.listdir(folder)) if '.array_record' in n]


def sha256(path: str) -> str:
  """Returns the SHA-256 of a file in hex, once it is on the disk.

  Raises:
    OSError: it cannot be read, or did not fit.
  """
  with open(path, 'rb') as file:
    os.fsync(file.fileno())  # some storage tells only now that it is full
    return hashlib.file_digest(file, 'sha256').hexdigest()


def write_shard(
  path: str, records: Iterator[bytes], most_bytes: int | float = math.inf
) -> Shard:
  """Writes records until the file is full; the others stay in `records`.

  Raises:
    OSError: the file cannot be written.
  """
  count = size = 0
  with _as_os_errors():
    writer = ArrayRecordWriter(path, 'group_size:1')  # as TFDS's
  for record in records:
    with _as_os_errors():
      writer.write(record)
    count, size = count + 1, size + len(record)
    if size >= most_bytes:
      break
  with _as_os_errors():
    writer.close()
  return Shard(path, count, size, sha256(path))


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
  """Of a full disk, array_record tells when a file is closed."""
  try:
    yield
  except RuntimeError as error:
    raise OSError(str(error).partition(';')[0]) from error
