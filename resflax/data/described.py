"""A data set of which nothing but the description is there.

Enough to decide a config and to compile its programs.
"""

import dataclasses

from resflax.data.prepared import NotPreparedError
from resflax.data.records import Dataset, DatasetInfo
from resflax.data.sources import load_dataset
from resflax.data.splits import parse_split
from resflax.errors import DataError

# Source: Russakovsky et al. 2015; the counts of TFDS `imagenet2012`.
IMAGENET = DatasetInfo(
  name='imagenet2012',
  version='5.1.0',
  class_names=tuple(str(label) for label in range(1000)),
  channels=3,
  splits={'train': 1281167, 'validation': 50000},
)


def load_or_describe(name: str, data_dir: str | None) -> Dataset:
  """Returns a data set, or ImageNet's description where it is not prepared.

  Raises:
    UsageError: another one that is not there.
  """
  try:
    return load_dataset(name, data_dir)
  except NotPreparedError:
    if name != IMAGENET.name:
      raise
    return DescribedDataset(IMAGENET)


@dataclasses.dataclass(frozen=True)
class DescribedDataset:
  """A data set to plan with, not to read."""

  info: DatasetInfo

  def split(self, spec: str) -> 'DescribedRecords':
    """Returns the examples of a split, which can only be counted."""
    part = parse_split(spec, self.info)
    return DescribedRecords(f'{self.info.name} {spec}', part.stop - part.start)


@dataclasses.dataclass(frozen=True)
class DescribedRecords:
  """Examples that can only be counted."""

  name: str
  count: int

  def __len__(self) -> int:
    return self.count

  def __getitem__(self, index: int) -> dict:
    raise DataError(f'{self.name} is a description: it has no example {index}.')
