"""Reading a whole data set once, to know what is in it before training."""

import collections
import dataclasses
import functools
import hashlib
import json
import os

import numpy as np

from resflax.data import records as records_lib
from resflax.data.decode import decode
from resflax.data.headers import read_header
from resflax.data.passes import one_pass
from resflax.data.records import Dataset, Records
from resflax.data.shard_writing import CHECKSUMS, checksums
from resflax.errors import DataError


@dataclasses.dataclass
class SplitReport:
  """What was found in a split.

  Attributes:
    count: examples.
    bad: (place, what is wrong) of each that cannot be read.
    sides: the (shortest, longest) side of all images, in pixels.
    per_class: examples by label.
    hashes: of the images, with the place of one that has it.
    repeated: images that are in the split more than once.
  """

  count: int = 0
  bad: list[tuple[str, str]] = dataclasses.field(default_factory=list)
  sides: tuple[int, int] = (0, 0)
  per_class: collections.Counter = dataclasses.field(
    default_factory=collections.Counter
  )
  hashes: dict[bytes, str] = dataclasses.field(default_factory=dict)
  repeated: int = 0


@dataclasses.dataclass(frozen=True)
class Report:
  """What was found in a data set.

  Attributes:
    splits: by name.
    shared: (split, other, number of images in both, an example).
    changed: files whose checksum is not the one written beside them; None
      where there are none.
  """

  splits: dict[str, SplitReport]
  shared: list[tuple[str, str, int, str]]
  changed: list[str] | None

  @property
  def sound(self) -> bool:
    """Whether everything can be read, and is what was written."""
    return not self.changed and not any(s.bad for s in self.splits.values())


def verify(dataset: Dataset, folder: str | None = None) -> Report:
  """Decodes each image of each split once, with a progress bar.

  Args:
    dataset: to look through.
    folder: of its files, for checksums; None checks none.
  """
  splits = {
    name: _read_through(name, dataset.split(name))
    for name in dataset.info.splits
  }
  return Report(splits, _shared(splits), _changed(folder) if folder else None)


def _read_through(name: str, records: Records) -> SplitReport:
  report = SplitReport()
  look = functools.partial(_look_at, records)
  for found in one_pass(look, len(records), name):
    _add(report, *found)
  return report


def _look_at(records: Records, index: int) -> tuple:
  """Returns place, error, label, sides and hash of an example."""
  place = records_lib.where(records, index)
  try:
    example = records_lib.read(records, [index])[0]
    image = example['image']
    if not isinstance(image, np.ndarray):
      header = read_header(image)
      decode(image, header.channels, header=header)
      sides = header.height, header.width
    else:
      sides = image.shape[:2]
  except DataError as error:
    return place, str(error), None, None, None
  digest = hashlib.blake2b(image, digest_size=16).digest()
  return place, None, example['label'], sides, digest


def _add(report: SplitReport, place, error, label, sides, digest) -> None:
  report.count += 1
  if error:
    report.bad.append((place, error))
    return
  report.per_class[label] += 1
  shortest, longest = report.sides
  report.sides = min(shortest or min(sides), *sides), max(longest, *sides)
  report.repeated += digest in report.hashes
  report.hashes.setdefault(digest, place)


def _shared(splits: dict[str, SplitReport]) -> list[tuple[str, str, int, str]]:
  names, shared = list(splits), []
  for index, name in enumerate(names):
    for other in names[index + 1 :]:
      both = splits[name].hashes.keys() & splits[other].hashes.keys()
      if both:
        place = min(splits[other].hashes[digest] for digest in both)
        shared.append((name, other, len(both), place))
  return shared


def _changed(folder: str) -> list[str] | None:
  path = os.path.join(folder, CHECKSUMS)
  if not os.path.exists(path):
    return None
  with open(path, encoding='utf-8') as file:
    written = json.load(file)
  there = checksums(folder)
  names = written.keys() | there.keys()
  return sorted(n for n in names if written.get(n) != there.get(n))
