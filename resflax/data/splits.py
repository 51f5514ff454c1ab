"""Parts of a split: by number, by percent, and in an order that is drawn."""

import dataclasses
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from resflax.data.records import DatasetInfo, Records, read, where
from resflax.errors import UsageError, unknown

FIELDS = 'config.data.*_split, or --split'

_SPEC = re.compile(
  r'(?P<name>[^\[\]@]+)(@(?P<draw>\d{1,9}))?'
  r'(\[(?P<start>[^:\]]*):(?P<stop>[^:\]]*)\])?'
)
_STREAM = 4  # the second word of the Philox key: one for each use of the seed
_BOUND = re.compile(r'(?P<number>-?\d+)|(?P<percent>-?\d+(\.\d+)?)%')


@dataclasses.dataclass(frozen=True, repr=False)
class Picked:
  """Some of other records, in an order of their own; `spec` names the part."""

  records: Records
  indices: Sequence[int] | Int[np.ndarray, ' examples']
  spec: str

  def __len__(self) -> int:
    return len(self.indices)

  def __getitem__(self, index: int) -> dict:
    if not 0 <= index < len(self):
      raise IndexError(f'{index} of {len(self)} examples of {self.spec}')
    return self.records[int(self.indices[index])]

  def __getitems__(self, indices: Sequence[int]) -> list[dict]:
    return read(self.records, [int(self.indices[i]) for i in indices])

  def where(self, index: int) -> str:
    return where(self.records, int(self.indices[index]))

  def __repr__(self) -> str:
    return f'{self.spec} ({len(self)} examples)'


class Part(NamedTuple):
  """What a split spec asks for.

  Attributes:
    name: of the split.
    start: the first place.
    stop: the place after the last one.
    draw: number of the order that places are counted in; None = as stored.
  """

  name: str
  start: int
  stop: int
  draw: int | None = None

  def may_share(self, other: 'Part') -> bool:
    """Whether an example may be in both."""
    apart = self.start >= other.stop or other.start >= self.stop
    return self.name == other.name and not (apart and self.draw == other.draw)


def parse_split(spec: str, info: DatasetInfo) -> Part:
  """Turns `'train[10%:90%]'` into `('train', start, stop, None)`.

  Bounds are counts or percent, from the end where negative. A percentage is
  rounded to the nearest example (half to even, as in TFDS), so that `[:p%]`
  and `[p%:]` share none and miss none. `train@3` is the split in the third of
  the orders that can be drawn, so `train@3[:1%]` is a random sample and
  `train@3[1%:]` is the rest.

  Raises:
    UsageError: an unknown split, a malformed or empty slice.
  """
  match = _SPEC.fullmatch(spec)
  if not match:
    raise UsageError(
      f'Malformed split {spec!r}. Write a name and maybe a slice, such as '
      f"'train', 'train[:98%]', 'test[:1000]' or, of an order that is drawn, "
      f"'train@3[:1%]' ({FIELDS})."
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
  draw = int(match['draw']) if match['draw'] else None
  return Part(name, start, stop, draw)


def take(spec: str, info: DatasetInfo, records: Records) -> Records:
  """Returns the part of a split's records that a spec asks for."""
  part = parse_split(spec, info)
  if part.draw is not None:
    indices = drawn_order(part.draw, len(records))[part.start : part.stop]
  elif len(records) == part.stop - part.start:
    return records
  else:
    indices = range(part.start, part.stop)
  return Picked(records, indices, f'{info.name} {spec}')


def drawn_order(draw: int, size: int) -> Int[np.ndarray, ' examples']:
  """Returns an order of a split, equal on every machine.

  Sorted by random words: `Generator.permutation` may change with NumPy.
  """
  bits = np.random.Philox(key=[draw, _STREAM])
  return np.argsort(bits.random_raw(size), kind='stable')


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


def test_split(info: DatasetInfo) -> str:
  """Chooses the split to evaluate on, of sets without one to train on too.

  Raises:
    UsageError: there is neither train nor test nor validation.
  """
  if 'train' in info.splits:
    return default_splits(info).test
  for name in ('test', 'validation'):
    if name in info.splits:
      return name
  raise UsageError(
    f"{info.name} has no split 'test' or 'validation', only "
    f'{", ".join(info.splits)}: say which one (--split).'
  )


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
