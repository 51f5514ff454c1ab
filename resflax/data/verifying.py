"""Reading a whole data set once, to know what is in it before training."""

import collections
import contextlib
import dataclasses
import functools
import hashlib
import itertools
import json
import os
from typing import NamedTuple

import numpy as np

from resflax.data.decode import decode
from resflax.data.headers import read_header
from resflax.data.passes import one_pass, tracked
from resflax.data.records import Dataset, Records, read_each, where
from resflax.data.shard_writing import CHECKSUMS, sha256, shard_names
from resflax.data.shards import BadShardsError
from resflax.errors import DataError


@dataclasses.dataclass
class SplitReport:
  """What was found in a split.

  Attributes:
    count: examples; 0 where files of the split are bad.
    bad: (place, what is wrong) of each example or file that cannot be read.
    sides: the (shortest, longest) side of all images, in pixels.
    per_class: examples by label.
    hashes: of the images, with the place of one that has it.
    repeated: (place, place before) of each image that is in the split again.
  """

  count: int = 0
  bad: list[tuple[str, str]] = dataclasses.field(default_factory=list)
  sides: tuple[int, int] = (0, 0)
  per_class: collections.Counter = dataclasses.field(
    default_factory=collections.Counter
  )
  hashes: dict[bytes, str] = dataclasses.field(default_factory=dict)
  repeated: list[tuple[str, str]] = dataclasses.field(default_factory=list)


class Shared(NamedTuple):
  """How many images are in two splits, and where one of them is."""

  split: str
  other: str
  count: int
  place: str
  other_place: str


@dataclasses.dataclass(frozen=True)
class Report:
  """What was found in a data set.

  Attributes:
    splits: by name.
    shared: images that are in two splits.
    changed: files whose checksum is not the one written beside them, or the
      file of checksums where it cannot be read; None where there is none.
  """

  splits: dict[str, SplitReport]
  shared: list[Shared]
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
  splits = {name: _read_through(name, dataset) for name in dataset.info.splits}
  return Report(splits, _shared(splits), _changed(folder) if folder else None)


def _read_through(name: str, dataset: Dataset) -> SplitReport:
  report = SplitReport()
  try:
    records = dataset.split(name)
  except BadShardsError as error:
    report.bad += error.faults
    return report
  look = functools.partial(_look_at, records)
  for found in one_pass(look, len(records), name):
    _add(report, *found)
  return report


def _look_at(records: Records, index: int) -> tuple:
  """Returns place, error, label, sides and hash of an example."""
  place = where(records, index)
  [example] = read_each(records, [index])
  try:
    if isinstance(example, DataError):
      raise example
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
  before = report.hashes.setdefault(digest, place)
  if before != place:
    report.repeated.append((place, before))


def _shared(splits: dict[str, SplitReport]) -> list[Shared]:
  shared = []
  for name, other in itertools.combinations(splits, 2):
    ours, theirs = splits[name].hashes, splits[other].hashes
    if both := ours.keys() & theirs.keys():
      one = min(both, key=ours.get)
      shared.append(Shared(name, other, len(both), ours[one], theirs[one]))
  return shared


def _changed(folder: str) -> list[str] | None:
  path = os.path.join(folder, CHECKSUMS)
  if not os.path.exists(path):
    return None
  try:
    with open(path, encoding='utf-8') as file:
      written = dict(json.load(file))
  except (OSError, TypeError, ValueError):  # or it is no JSON of an object
    return [CHECKSUMS]
  names = sorted({*written, *shard_names(folder)})
  return [
    name
    for name in tracked(names, 'Checksums')
    if _checksum(os.path.join(folder, name)) != written.get(name, '')
  ]


def _checksum(path: str) -> str | None:
  """Returns that of a file that can be read."""
  with contextlib.suppress(OSError):
    return sha256(path)
  return None
