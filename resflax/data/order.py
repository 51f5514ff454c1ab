"""Which examples a step sees, and at which resolution: integers only.

The examples of all epochs form one endless sequence: position p is example
`p % n` of the shuffled epoch `p // n`, and each step takes the next positions.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from grain.experimental import index_shuffle

from resflax.batches import batches_before
from resflax.data import lanes
from resflax.errors import UsageError, unknown
from resflax.resolution import Stage

# Up to this many examples an epoch's order is held: 32 MB, made in half a
# second; a few, for a mixture has one for each source and batches are made
# ahead. Above, Grain's cipher finds each place alone. It could do so always,
# but takes 3 us an example, and walks a domain of 2^16 however few there are:
# 25 us an example for 1,300.
HELD = 1 << 22

_STREAM = 1  # the second word of the Philox key: one for each use of the seed
_ROUNDS = 4  # of index_shuffle's cipher, as in Grain's own shuffle


def example_ids(
  seed: int, num_examples: int, positions: Sequence[int]
) -> list[tuple[int, int]]:
  """Returns (epoch, example id) of each position in the training sequence."""
  places = [divmod(position, num_examples) for position in positions]
  return [
    (epoch, _shuffled(seed, epoch, index, num_examples))
    for epoch, index in places
  ]


def local_rows(batch_size: int, shard: tuple[int, int]) -> range:
  """The rows of the global batch that belong to a shard.

  Raises:
    UsageError: the shards do not divide the batch.
  """
  index, count = shard
  if batch_size % count or not 0 <= index < count:
    raise UsageError(
      f'batch_size={batch_size} cannot be cut into {count} equal shards '
      f'(shard {index}): make it a multiple of {count} (config.batch_size).'
    )
  local = batch_size // count
  return range(index * local, (index + 1) * local)


def check_stages(stages: Sequence[Stage]) -> None:
  """Refuses a stage table that does not cover every step once.

  Raises:
    UsageError: no stage from step 0, or stages out of order.
  """
  firsts = [stage.first_step for stage in stages]
  if not firsts or firsts[0] != 0 or firsts != sorted(set(firsts)):
    raise UsageError(
      f'stages={tuple(stages)}: the first one is from step 0, the others '
      'in ascending order.'
    )


def positions(stages: Sequence[Stage], step: int, batch_size: int) -> range:
  """Returns the positions of a step's examples, over all hosts.

  Args:
    stages: of the run.
    step: counted from 0.
    batch_size: examples a batch, of which a step may take several.
  """
  first, end = batches_before(stages, step), batches_before(stages, step + 1)
  return range(first * batch_size, end * batch_size)


class Order(NamedTuple):
  """How the examples of an epoch are mixed.

  Attributes:
    example_ids: `(seed, num_examples, positions) -> (epoch, id)` of each.
    local_rows: `(batch_size, shard)` -> places of the batch that are a shard's.
  """

  example_ids: Callable[[int, int, Sequence[int]], list[tuple[int, int]]]
  local_rows: Callable[[int, tuple[int, int]], Sequence[int]]


def order_of(shuffle: str) -> Order:
  """Returns an order by its name.

  Raises:
    UsageError: there is none of the name.
  """
  if shuffle not in ORDERS:
    raise unknown('order', shuffle, ORDERS, 'config.data.shuffle')
  return ORDERS[shuffle]


ORDERS = {
  'global': Order(example_ids, local_rows),
  'lanes': Order(lanes.example_ids, lanes.local_rows),
}


def _shuffled(seed: int, epoch: int, index: int, num_examples: int) -> int:
  if num_examples <= HELD:
    return int(_held_order(seed, epoch, num_examples)[index])
  key = _cipher_key(seed, epoch)
  return index_shuffle(index, num_examples - 1, key, _ROUNDS)


@functools.lru_cache(maxsize=16)
def _held_order(seed: int, epoch: int, num_examples: int) -> np.ndarray:
  """Sorts by random words: `Generator.permutation` may change with NumPy."""
  bits = np.random.Philox(key=[seed, _STREAM], counter=[0, 0, 0, epoch])
  return np.argsort(bits.random_raw(num_examples), kind='stable')


@functools.lru_cache(maxsize=16)
def _cipher_key(seed: int, epoch: int) -> int:
  """32 bits, which is what index_shuffle takes."""
  return int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
