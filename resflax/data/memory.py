"""Images in memory: arrays that are given, and small images once decoded."""

from collections.abc import Mapping, Sequence

import numpy as np

from resflax.data.decode import decode
from resflax.data.records import DatasetInfo, Records, read
from resflax.data.records import where as where_of
from resflax.data.splits import parse_split, take
from resflax.errors import UsageError

KEEP_BYTES = 256 << 20  # per split: CIFAR is 150 MB, SVHN 225 MB


class DecodedRecords:
  """Keeps small images decoded: 3 kB each, for 70 us of reading and decoding.

  For data sets whose pixels all fit into memory and whose images are not worth
  decoding at a fraction of their size. Worker processes begin empty.
  """

  def __init__(self, records: Records, channels: int):
    self.records = records
    self.channels = channels
    self._kept: dict[int, dict] = {}

  def __len__(self) -> int:
    return len(self.records)

  def __getitem__(self, index: int) -> dict:
    if index not in self._kept:
      self._keep(index, self.records[index])
    return self._kept[index]

  def __getitems__(self, indices: Sequence[int]) -> list[dict]:
    missing = [index for index in indices if index not in self._kept]
    for index, record in zip(missing, read(self.records, missing), strict=True):
      self._keep(index, record)
    return [self._kept[index] for index in indices]

  def where(self, index: int) -> str:
    return where_of(self.records, index)

  def _keep(self, index: int, record: dict) -> None:
    image = decode(record['image'], self.channels)
    self._kept[index] = {**record, 'image': image}

  def __repr__(self) -> str:
    return repr(self.records)

  def __getstate__(self) -> dict:
    return {**self.__dict__, '_kept': {}}


class ArrayDataset:
  """Images and labels in memory, for notebooks and tests.

  Args:
    splits: (images, labels) by split: uint8 images [n, h, w, c] or
      [n, h, w], or a sequence of [h, w, c] of any sizes; integer labels [n].
    class_names: by label; by default the labels as text.

  Raises:
    UsageError: types, lengths or labels that do not fit.
  """

  def __init__(
    self,
    splits: Mapping[str, tuple[Sequence | np.ndarray, Sequence | np.ndarray]],
    class_names: Sequence[str] | None = None,
  ):
    self._records = {
      name: ArrayRecords(f'array {name}', images, labels)
      for name, (images, labels) in splits.items()
    }
    top = max(int(records.labels.max()) for records in self._records.values())
    if class_names is None:
      class_names = [str(label) for label in range(top + 1)]
    if top >= len(class_names):
      raise UsageError(
        f'Label {top} has no name: {len(class_names)} are given.'
      )
    first = next(iter(self._records.values()))[0]['image']
    self.info = DatasetInfo(
      name='array',
      version='memory',
      class_names=tuple(class_names),
      channels=first.shape[2],
      splits={name: len(records) for name, records in self._records.items()},
    )

  def split(self, spec: str) -> Records:
    name = parse_split(spec, self.info).name
    return take(spec, self.info, self._records[name])


class ArrayRecords:
  """One split in memory."""

  def __init__(self, name: str, images, labels):
    self.name = name
    self.images = images
    self.labels = np.asarray(labels)
    if len(self.images) != len(self.labels) or not len(self.labels):
      raise UsageError(
        f'{name} has {len(self.images)} images and {len(self.labels)} labels: '
        'give as many of each, and at least one.'
      )
    if self.labels.dtype.kind not in 'iu' or self.labels.min() < 0:
      raise UsageError(f'The labels of {name} are not integers from 0 upwards.')
    if np.asarray(self.images[0]).dtype != np.uint8:
      raise UsageError(
        f'The images of {name} are {np.asarray(self.images[0]).dtype}, not '
        'uint8: normalising comes later, on the device.'
      )

  def __len__(self) -> int:
    return len(self.labels)

  def __getitem__(self, index: int) -> dict:
    image = np.asarray(self.images[index])
    if image.ndim == 2:
      image = image[..., None]
    return {'image': image, 'label': int(self.labels[index])}

  def __repr__(self) -> str:
    return f'{self.name} ({len(self)} examples)'
