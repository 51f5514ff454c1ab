"""Labelled data, and other data sets that are trained on beside them."""

import bisect
import dataclasses
import itertools
from collections.abc import Callable, Sequence

from resflax.data.order import order_of
from resflax.data.records import (
  Dataset,
  DatasetInfo,
  Records,
  read_each,
  where,
)
from resflax.errors import DataError, UsageError
from resflax.turns import LANES, epoch_examples, turn_at


class MixedDataset:
  """A labelled data set whose training examples alternate with others'.

  Validation and test are its own.

  Args:
    labelled: the data set that evaluation and epochs go by.
    others: whose train splits are mixed in.
    ratios: examples of each in a cycle, see `resflax.turns`.
    soft: whether teachers' probabilities are targets, where there are some.

  Attributes:
    soft: classes that have a probability beside a label; 0 = none.

  Raises:
    UsageError: their classes differ, or they keep different numbers of them.
  """

  def __init__(
    self,
    labelled: Dataset,
    others: Sequence[Dataset],
    ratios: Sequence[int],
    *,
    soft: bool,
  ):
    for other in others:
      _check_classes(labelled.info, other.info)
    self._labelled, self._others = labelled, others
    self._ratios = tuple(ratios)
    self.soft = _soft_classes(others) if soft else 0
    versions = [labelled.info.version]
    versions += [f'{other.info.name} {other.info.version}' for other in others]
    self.info = dataclasses.replace(
      labelled.info, version=' and '.join(versions)
    )

  def split(self, spec: str) -> Records:
    """Returns labelled examples."""
    return self._labelled.split(spec)

  def mixed(self, spec: str) -> 'MixedRecords':
    """Returns all that is trained on: labelled examples and the others."""
    others = [other.split('train') for other in self._others]
    return MixedRecords(
      [self._labelled.split(spec), *others], self._ratios, self.soft
    )


class MixedRecords:
  """The examples of several sources, one after the other, by index.

  Args:
    parts: the sources.
    ratios: examples of each in a cycle.
    soft: classes that have a probability beside the label; 0 = none.
  """

  def __init__(
    self, parts: Sequence[Records], ratios: Sequence[int], soft: int
  ):
    self.parts = list(parts)
    self.ratios = tuple(ratios)
    self.soft = soft
    self._ends = list(itertools.accumulate(map(len, self.parts)))

  def __len__(self) -> int:
    return self._ends[-1]

  def __getitem__(self, index: int) -> dict:
    part, own = self._place(index)
    return self.parts[part][own]

  def __getitems__(self, indices: Sequence[int]) -> list[dict | DataError]:
    """Returns records, with the error in place of one that cannot be read."""
    places = [self._place(index) for index in indices]
    found = {}
    for part, records in enumerate(self.parts):
      own = [i for of, i in places if of == part]
      examples = read_each(records, own) if own else []
      found[part] = iter(examples)
    return [next(found[part]) for part, _ in places]

  def where(self, index: int) -> str:
    part, own = self._place(index)
    return where(self.parts[part], own)

  def each(self, change: Callable[[Records], Records]) -> 'MixedRecords':
    """Returns them with every source changed."""
    return MixedRecords(list(map(change, self.parts)), self.ratios, self.soft)

  def example_ids(
    self, shuffle: str, seed: int, positions: Sequence[int]
  ) -> list[tuple[int, int]]:
    """Returns (epoch of its source, index) of each position."""
    # Whole lanes, so that each host reads its own of every source.
    run = LANES if shuffle == 'lanes' else 1
    turns = [turn_at(position, self.ratios, run) for position in positions]
    found = {}
    for part, records in enumerate(self.parts):
      own = [turn.position for turn in turns if turn.source == part]
      ids = order_of(shuffle).example_ids(_seed(seed, part), len(records), own)
      found[part] = iter(ids)
    ids = [(turn.source, *next(found[turn.source])) for turn in turns]
    starts = [0, *self._ends]
    return [(epoch, starts[part] + own) for part, epoch, own in ids]

  def _place(self, index: int) -> tuple[int, int]:
    part = bisect.bisect_right(self._ends, index)
    return part, index - (self._ends[part - 1] if part else 0)

  def __repr__(self) -> str:
    return ' and '.join(map(repr, self.parts))


def training_records(dataset: Dataset, spec: str) -> Records:
  """Returns what is trained on: a part of a split, and what is mixed in."""
  if isinstance(dataset, MixedDataset):
    return dataset.mixed(spec)
  return dataset.split(spec)


def examples_of_epoch(records: Records) -> int | float:
  """Returns the examples of an epoch: of one pass over the labelled ones."""
  if isinstance(records, MixedRecords):
    return epoch_examples(len(records.parts[0]), records.ratios)
  return len(records)


def example_ids(
  records: Records, shuffle: str, seed: int, positions: Sequence[int]
) -> list[tuple[int, int]]:
  """Returns (epoch, example id) of each position in the training sequence."""
  if isinstance(records, MixedRecords):
    return records.example_ids(shuffle, seed, positions)
  return order_of(shuffle).example_ids(seed, len(records), positions)


def _seed(seed: int, part: int) -> int:
  """Sources of one size would have one order."""
  return seed + (part << 32)


def _soft_classes(others: Sequence[Dataset]) -> int:
  found = {getattr(other, 'soft', 0) for other in others} - {0}
  if len(found) > 1:
    raise UsageError(
      f'The sources keep {" and ".join(map(str, sorted(found)))} classes of an '
      'image: label them with one --top_k, or set '
      'config.data.mixture.targets=hard.'
    )
  return max(found, default=0)


def _check_classes(labelled: DatasetInfo, other: DatasetInfo) -> None:
  ours, theirs = labelled.class_names, other.class_names
  if ours == theirs:
    return
  differ = f'{len(ours)} and {len(theirs)} of them'
  if len(ours) == len(theirs):
    label = next(i for i, name in enumerate(ours) if name != theirs[i])
    differ = f'{label} is {ours[label]!r} and {theirs[label]!r}'
  raise UsageError(
    f'{labelled.name} and {other.name} have different classes ({differ}): mix '
    'data sets of the same ones (config.data.mixture.sources).'
  )
