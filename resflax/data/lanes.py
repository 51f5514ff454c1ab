"""An order for object stores: shuffled anew each epoch, read in long ranges.

An epoch's blocks of consecutive records are shuffled, laid end to end and cut
into 256 lanes, equally long to one record. Position p is the next example of
lane `p % 256`; a lane permutes its records within windows of 128, which are
what is read at once. So 256 examples in a row come from 256 places of the set.

Of H hosts, where H divides 256, each takes every H-th position, which are 256/H
lanes of its own, laid side by side. The order knows neither hosts nor batches.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np

from resflax.errors import UsageError
from resflax.turns import LANES

BLOCK = 1024
# Examples of ImageNet have 110 kB, a window of them 14 MB.
WINDOW = 128

_BLOCKS = 2  # the second word of the Philox key: one for each use of the seed
_WINDOWS = 3


def example_ids(
  seed: int, num_examples: int, positions: Sequence[int]
) -> list[tuple[int, int]]:
  """Returns (epoch, example id) of each position in the training sequence."""
  epochs = [position // num_examples for position in positions]
  return [
    (epoch, _epoch(seed, epoch, num_examples).example(position))
    for epoch, position in zip(epochs, positions, strict=True)
  ]


def local_rows(batch_size: int, shard: tuple[int, int]) -> list[int]:
  """The places in a global batch that belong to a shard, by lanes.

  The global batch has the same rows for any number of shards: its places are
  ordered by their bits, the lowest first, as in a Fourier transform. So each
  half of the rows, each quarter of them and so on has lanes of its own.

  Raises:
    UsageError: the shards divide neither the batch nor the lanes.
  """
  index, count = shard
  if batch_size % count or LANES % count or not 0 <= index < count:
    raise UsageError(
      f'batch_size={batch_size} cannot be cut into {count} shards of '
      f"shuffle='lanes' (shard {index}): their number has to divide {LANES} "
      'and config.batch_size.'
    )
  period = math.gcd(batch_size, LANES)
  places = np.arange(batch_size).reshape(-1, period)[:, _bits_reversed(period)]
  return places.T.reshape(count, -1)[index].tolist()


def block_size(num_examples: int) -> int:
  """Returns the records in a block: 1,024, where that gives 256 blocks.

  Smaller sets have smaller ones, by halves, but of a window at least.
  """
  size = BLOCK
  while size > WINDOW and num_examples < LANES * size:
    size //= 2
  return size


def windows_kept(local_batch: int, shards: int) -> int:
  """Returns how many windows a shard may hold, to read each once an epoch.

  One of each lane is in use, and half used up on average. As many, cut by the
  end of a lane, wait half full for its neighbour. Up to 18 batches in the
  making hold the rest: in all 128 records a lane and 18 batches at most, which
  is 3.6 GB for ImageNet's 256 lanes and 2 GB for batches of 1,024.
  """
  return 2 * LANES // shards + local_batch // 4


class _Epoch:
  """The blocks of an epoch in their order, and where its lanes start.

  Places are counted along the blocks as if all were equally long: behind the
  short one, which holds the last records, there is a gap.
  """

  def __init__(self, seed: int, epoch: int, num_examples: int):
    self.seed = seed
    self.epoch = epoch
    self.first = epoch * num_examples
    self.size = block_size(num_examples)
    count = -(-num_examples // self.size)
    self.blocks = _shuffled(seed, _BLOCKS, [0, epoch], count)
    self.gap = count * self.size - num_examples
    short = int(np.flatnonzero(self.blocks == count - 1)[0])
    self.gap_at = (short + 1) * self.size - self.gap
    places = (np.arange(LANES) - self.first % LANES) % LANES
    self.lengths = (num_examples - 1 - places) // LANES + 1
    row = _bits_reversed(LANES)
    self.starts = np.empty(LANES, np.int64)
    self.starts[row] = np.cumsum(self.lengths[row]) - self.lengths[row]

  def example(self, position: int) -> int:
    """Returns the example at a position of the training sequence."""
    lane, turn = position % LANES, (position - self.first) // LANES
    start, length = int(self.starts[lane]), int(self.lengths[lane])
    place = self._skip_gap(start + turn)
    window = place // WINDOW * WINDOW
    begin = max(window, self._skip_gap(start))
    end = min(window + WINDOW, self._skip_gap(start + length - 1) + 1)
    if begin < self.gap_at:
      end = min(end, self.gap_at)
    order = _window(self.seed, self.epoch, begin, end - begin)
    block, offset = divmod(begin + int(order[place - begin]), self.size)
    return int(self.blocks[block]) * self.size + offset

  def _skip_gap(self, index: int) -> int:
    return index if index < self.gap_at else index + self.gap


@functools.lru_cache(maxsize=16)
def _epoch(seed: int, epoch: int, num_examples: int) -> _Epoch:
  return _Epoch(seed, epoch, num_examples)


@functools.lru_cache(maxsize=8 * LANES)  # 1 kB each; a lane uses 1 or 2
def _window(seed: int, epoch: int, begin: int, length: int) -> np.ndarray:
  return _shuffled(seed, _WINDOWS, [begin, epoch], length)


def _shuffled(
  seed: int, stream: int, counter: list[int], length: int
) -> np.ndarray:
  """Sorts by random words: `Generator.permutation` may change with NumPy."""
  bits = np.random.Philox(key=[seed, stream], counter=[0, 0, *counter])
  return np.argsort(bits.random_raw(length), kind='stable')


def _bits_reversed(period: int) -> list[int]:
  """Returns the numbers below a power of two, ordered by reversed bits."""
  numbers = [0]
  while len(numbers) < period:
    numbers = [2 * i for i in numbers] + [2 * i + 1 for i in numbers]
  return numbers
