"""Position to batch: what a step sees depends on the seed and the step alone.

So the state of the data is one integer: resuming is exact and instant, and
hosts, workers and threads are free to change.

Grain's element is the *step*: one call makes the whole local batch, in one
array. That keeps its overhead per batch instead of per example, and lets a
source read its records at once.
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

import numpy as np

from resflax.data.ahead import ahead
from resflax.data.augment import Augment, uniforms
from resflax.data.bad import VERIFY, Bad
from resflax.data.crops import Box, center_box
from resflax.data.fill import Batch, empty_batch, fill
from resflax.data.lanes import WINDOW, windows_kept
from resflax.data.mixture import MixedRecords, example_ids
from resflax.data.order import check_stages, local_rows, order_of, positions
from resflax.data.records import Records
from resflax.data.windows import WindowRecords
from resflax.errors import DataError
from resflax.resolution import Stage, stage_at

# Examples that are tried in place of a bad one.
NEIGHBOURS = 16


def train_batches(
  records: Records,
  *,
  seed: int,
  batch_size: int,
  stages: Sequence[Stage],
  start: int,
  stop: int,
  augment: Augment,
  channels: int,
  shuffle: str = 'global',
  workers: int = 0,
  shard: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
  """Yields the batches of the steps `start` to `stop`, made ahead by threads.

  Args:
    records: the training examples; `MixedRecords` are taken by turns.
    seed: of the order and the augmentation.
    batch_size: global, over all shards; a step takes `stage.batches` of them.
    stages: the first one from step 0.
    start: first step; any step may be the first.
    stop: the step after the last one.
    augment: how examples are cropped and flipped.
    channels: 1 or 3.
    shuffle: `global`, or `lanes`, which reads in long ranges.
    workers: processes that make batches; 0 makes them in threads, which
      suffices where decoding (it lets go of the GIL) is most of the work.
    shard: (index, count): this host's rows of the global batch.

  Yields:
    `{'image': uint8 [local, r, r, channels], 'label': int32 [local]}`, and
    `bad`: the examples that cannot be used. In each one's row is the next one
    that can, cropped and flipped as it would have been. Of sources with soft
    labels, `soft_classes` and `soft_weights` too, [local, k] each; weights of
    a row are 0 where the label counts.

  Raises:
    UsageError: a batch that the shards do not divide, stages out of order, or
      an unknown `shuffle`.
    DataError: when an example and all those behind it cannot be used.
  """
  rows = order_of(shuffle).local_rows(batch_size, shard)
  check_stages(stages)
  if shuffle == 'lanes':
    most = len(rows) * max(stage.batches for stage in stages)
    records = _in_windows(records, windows_kept(most, shard[1]))
  make = TrainStep(
    records, seed, batch_size, tuple(stages), augment, channels, shard, shuffle
  )
  return ahead(make, start, stop, workers)


def eval_batches(
  records: Records,
  *,
  batch_size: int,
  resolution: int,
  crop: float,
  channels: int,
  shard: tuple[int, int] = (0, 1),
  strict: bool = True,
) -> Iterator[Batch]:
  """Yields every example exactly once, in order, at a centre crop.

  The last global batch is filled up with masked zeros, so every shard yields
  the same number of batches, whatever the number of examples: hosts that ran
  out would leave the others waiting in a collective.

  Args:
    records: the examples.
    batch_size: global, over all shards.
    resolution: side of the images.
    crop: side of the crop as a share of the shorter side.
    channels: 1 or 3.
    shard: (index, count): this host's rows of the global batch.
    strict: whether an example that cannot be used is an error.

  Yields:
    `image` and `label` as in training, and `mask`: bool [local], false in
    rows that hold no example. Where it is not strict, `bad` as well: what
    cannot be used, by row.

  Raises:
    DataError: an example cannot be used.
  """
  rows = local_rows(batch_size, shard)
  make = EvalStep(records, batch_size, resolution, crop, channels, rows, strict)
  return ahead(make, 0, -(-len(records) // batch_size), workers=0)


@dataclasses.dataclass(frozen=True)
class TrainStep:
  """Makes the local batch of a training step; picklable, for workers."""

  records: Records
  seed: int
  batch_size: int
  stages: tuple[Stage, ...]
  augment: Augment
  channels: int
  shard: tuple[int, int]
  shuffle: str = 'global'

  def example_ids(self, step: int) -> list[tuple[int, int]]:
    places = positions(self.stages, step, self.batch_size)
    rows = order_of(self.shuffle).local_rows(len(places), self.shard)
    local = [places[row] for row in rows]
    return example_ids(self.records, self.shuffle, self.seed, local)

  def __call__(self, step: int) -> Batch:
    examples = self.example_ids(step)
    draws = uniforms(self.seed, examples, self.augment.num_draws).tolist()
    choices = [functools.partial(self.augment, row) for row in draws]
    stage = stage_at(self.stages, step)
    batch = empty_batch(
      len(examples),
      stage.resolution,
      self.channels,
      getattr(self.records, 'soft', 0),
    )
    ids = [i for _, i in examples]
    bad = fill(batch, self.records, ids, choices, shrink=True)
    for row in bad:
      self._replace(batch, row, bad[row], choices[row])
    if self.augment.randaugment.layers:
      augment = self.augment.at(stage.strength)
      for row, image in zip(draws, batch['image'], strict=True):
        image[...] = augment.distort(row, image)
    return {**batch, 'bad': tuple(bad.values())}

  def _replace(self, batch: Batch, row: int, bad: Bad, choose) -> None:
    """Fills a row with the next example that can be used."""
    one = {name: array[row : row + 1] for name, array in batch.items()}
    for step in range(1, NEIGHBOURS + 1):
      neighbour = (bad.index + step) % len(self.records)
      if not fill(one, self.records, [neighbour], [choose], shrink=True):
        return
    raise DataError(
      f'Cannot use {bad.place}, nor the {NEIGHBOURS} examples behind it, which '
      f'would replace it: {bad.reason}. Remove or replace them, {VERIFY}'
    )


@dataclasses.dataclass(frozen=True)
class EvalStep:
  """Makes the local batch of an evaluation step."""

  records: Records
  batch_size: int
  resolution: int
  crop: float
  channels: int
  rows: range
  strict: bool = True

  def __call__(self, step: int) -> Batch:
    first = step * self.batch_size
    ids = [first + row for row in self.rows if first + row < len(self.records)]
    batch = empty_batch(len(self.rows), self.resolution, self.channels)
    choices = [self._choose] * len(ids)
    found = fill(batch, self.records, ids, choices, shrink=False)
    mask = np.arange(len(self.rows)) < len(ids)
    if not self.strict:
      return {**batch, 'mask': mask, 'bad': found}
    for bad in found.values():
      raise DataError(
        f'Cannot use {bad.place}: {bad.reason}. Evaluation leaves nothing out: '
        f'remove or replace the file, {VERIFY}'
      )
    return {**batch, 'mask': mask}

  def _choose(self, height: int, width: int) -> tuple[Box, bool]:
    return center_box(height, width, self.crop), False


def _in_windows(records: Records, keep: int) -> Records:
  """Returns records that are read as windows, each source's on their own."""
  if isinstance(records, MixedRecords):
    return records.each(lambda part: WindowRecords(part, WINDOW, keep))
  return WindowRecords(records, WINDOW, keep)
