"""The examples of a pseudo-labelled set, written file by file."""

import dataclasses
import functools
import itertools
import json
import os
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from resflax.data.ahead import ahead
from resflax.data.describing import shard_names_of
from resflax.data.folders import FileRecords
from resflax.data.passes import CHUNK
from resflax.data.records import Records, read
from resflax.data.shard_writing import Shard, write_shard
from resflax.data.writing import Encoded, serialized, write_json
from resflax.pseudo.predictions import Parts, Predictions
from resflax.pseudo.turns import by_turns

SPLIT = 'train'
SHARD_EXAMPLES = 4096

_KEPT_PARTS = 64  # of predictions, 0.2 MB each with ten classes


@dataclasses.dataclass(frozen=True)
class Shards:
  """The files of a data set, each a function of its number.

  A file has its name once it is whole, and what is said of it lies in `work`
  before. So it is written once, whoever is killed.

  Attributes:
    folder: of the files.
    work: of what is said of them.
    dataset: its name.
    size: examples a file.
    images: that each example has.
  """

  folder: str
  work: str
  dataset: str
  size: int
  images: Int[np.ndarray, ' examples']

  @functools.cached_property
  def names(self) -> list[str]:
    """The files' names."""
    count = -(-len(self.images) // self.size)
    return shard_names_of(self.dataset, SPLIT, count)

  def write(self, records: Records, parts: Parts, source: str) -> None:
    """Writes the files that are not there; of several processes, each its own.

    Args:
      records: the images.
      parts: what the teacher said of them.
      source: what they are parts of, for those without a file's name.
    """
    encoder = _Encoder(records, parts, source)

    def work(number: int) -> None:
      path = os.path.join(self.folder, self.names[number])
      if os.path.exists(path):
        return
      first = number * self.size
      examples = encoder.examples(self.images[first : first + self.size])
      temporary = os.path.join(self.folder, f'.{self.names[number]}.incomplete')
      shard = write_shard(temporary, map(serialized, examples))
      shard = shard._replace(path=self.names[number])
      write_json(self._said(number), shard._asdict())
      os.replace(temporary, path)

    by_turns(len(self.names), 'Writing', work)

  def written(self) -> list[Shard]:
    """Returns what is known of each file; `path` is its name."""
    shards = []
    for number in range(len(self.names)):
      with open(self._said(number), encoding='utf-8') as file:
        shards.append(Shard(**json.load(file)))
    return shards

  def _said(self, number: int) -> str:
    return os.path.join(self.work, f'shard-{number:06d}.json')


class _Encoder:
  """Puts together images and what the teacher said of them."""

  def __init__(self, records: Records, parts: Parts, source: str):
    self._records, self._source = records, source
    self._size = parts.size
    self._part = functools.lru_cache(_KEPT_PARTS)(parts.read)

  def examples(self, images: Int[np.ndarray, ' examples']) -> Iterator[Encoded]:
    """Yields the examples of some images, read ahead by threads."""

    def chunk(number: int) -> list[Encoded]:
      chosen = images[number * CHUNK : (number + 1) * CHUNK].tolist()
      # Once each, and in their order, which may be read in one go.
      unique = sorted(set(chosen))
      found = read(self._records, unique)
      known = {
        image: self._encoded(image, record['image'])
        for image, record in zip(unique, found, strict=True)
      }
      return [known[image] for image in chosen]

    chunks = ahead(chunk, 0, -(-len(images) // CHUNK))
    return itertools.chain.from_iterable(chunks)

  def _encoded(self, image: int, content: bytes) -> Encoded:
    part, row = divmod(image, self._size)
    said: Predictions = self._part(part)
    classes = said.classes[row].tolist()
    probabilities = said.probabilities[row].tolist()
    source = _path(self._records, image) or f'{self._source}: {image}'
    return Encoded(content, classes[0], source, (classes, probabilities))


def _path(records: Records, image: int) -> str | None:
  """Returns the path of an image below its folder, if it is a file."""
  while hasattr(records, 'indices'):
    records, image = records.records, int(records.indices[image])
  return records.paths[image] if isinstance(records, FileRecords) else None
