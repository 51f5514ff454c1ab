"""Records of ArrayRecord files that hold `tf.train.Example`s."""

import dataclasses

import numpy as np
from tensorflow_datasets.proto import tf_example_pb2

from resflax.data.shards import RangedSource

# The features of a teacher's classes, as `scripts.pseudo_label` writes them.
SOFT_CLASSES, SOFT_PROBABILITIES = 'soft_labels', 'soft_probabilities'


@dataclasses.dataclass(frozen=True)
class Keys:
  """The features of an example that are read.

  Attributes:
    image: the encoded one.
    label: the class; None where there is none, which reads as -1.
    several: whether an example has any number of labels. They are in `labels`,
      and the first one, or -1, is the label.
    soft: classes and probabilities a teacher gave; 0 where it gave none.
  """

  image: str
  label: str | None
  soft: int = 0
  several: bool = False


class ExampleRecords:
  """One split of ArrayRecord files that hold `tf.train.Example`s.

  They are parsed here, because TFDS's own parser (`deserialize_example_np`)
  takes 30 us an example, and the two fields we need 4. Read several at once:
  array_record takes 22 us a record in a batch of 100, 100 us alone.
  """

  def __init__(self, name: str, source: RangedSource, keys: Keys):
    self.name = name
    self.source = source
    self.keys = keys

  def __len__(self) -> int:
    return len(self.source)

  def __getitem__(self, index: int) -> dict:
    return self._parse(self.source[index])

  def __getitems__(self, indices) -> list[dict]:
    return [self._parse(raw) for raw in self.source.__getitems__(indices)]

  def where(self, index: int) -> str:
    """Says which example it is: its source, as imported sets hold it.

    Of one that cannot be read, it is the file that it lies in.
    """
    example = f'example {index} of {self.name}'
    try:
      source = _fields(self.source[index])['source'].bytes_list.value
    except Exception:  # of any kind; reading the example has told which
      return f'{example} in {self.source.filename(index)}'
    if not source:
      return example
    return f'{example} ({source[0].decode(errors="replace")})'

  def _parse(self, raw: bytes) -> dict:
    fields, keys = _fields(raw), self.keys
    example = {'image': fields[keys.image].bytes_list.value[0], 'label': -1}
    if keys.several:
      example['labels'] = tuple(fields[keys.label].int64_list.value)
      example['label'] = next(iter(example['labels']), -1)
    elif keys.label:
      example['label'] = fields[keys.label].int64_list.value[0]
    if keys.soft:
      example['soft'] = (
        np.array(fields[SOFT_CLASSES].int64_list.value, np.int32),
        np.array(fields[SOFT_PROBABILITIES].float_list.value, np.float32),
      )
    return example

  def __repr__(self) -> str:
    return f'{self.name} ({len(self)} examples)'


def _fields(raw: bytes):
  return tf_example_pb2.Example.FromString(raw).features.feature
