"""Reading many records at once, and those that cannot be read."""

import pytest

from resflax.data.records import read
from resflax.data.splits import Picked
from resflax.errors import DataError


class Numbers:
  """Records that count how they are read."""

  def __init__(self, size, broken=()):
    self.size, self.broken, self.calls = size, broken, 0

  def __len__(self):
    return self.size

  def __getitem__(self, index):
    self.calls += 1
    if index in self.broken:
      raise RuntimeError('bad block')
    return {'image': b'', 'label': index}

  def __repr__(self):
    return 'numbers'


class ManyNumbers(Numbers):
  """The same, with a way to read several at once."""

  def __getitems__(self, indices):
    self.calls += 1
    if set(indices) & set(self.broken):
      raise RuntimeError('bad batch')
    return [{'image': b'', 'label': index} for index in indices]


def test_read_asks_once_where_the_source_can():
  for records, calls in ((Numbers(9), 3), (ManyNumbers(9), 1)):
    part = Picked(records, range(2, 9), 'part')
    assert [r['label'] for r in read(part, [4, 0, 3])] == [6, 2, 5]
    assert records.calls == calls


@pytest.mark.parametrize('kind', [Numbers, ManyNumbers])
def test_read_names_the_one_that_cannot_be_read(kind):
  part = Picked(kind(9, broken=(6,)), range(2, 9), 'part')
  with pytest.raises(DataError) as error:
    read(part, [0, 4, 3])
  assert str(error.value) == (
    'Cannot use example 6 of numbers: cannot be read: bad block'
  )
  assert len(read(part, [0, 3])) == 2
