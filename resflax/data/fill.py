"""Examples to the rows of a batch: read, decoded and cropped."""

from collections.abc import Callable, Sequence

import numpy as np

from resflax.data import records as records_lib
from resflax.data.bad import Bad
from resflax.data.crops import (
  Box,
  center_box,
  shrink_box,
  shrink_factor,
  write_crop,
)
from resflax.data.decode import decode, to_channels
from resflax.data.headers import read_header
from resflax.data.records import Records
from resflax.errors import DataError

Batch = dict[str, np.ndarray]


def bad_among(
  records: Records, indices: Sequence[int], channels: int
) -> list[Bad]:
  """Returns those of some examples that cannot be used.

  Args:
    records: that hold them.
    indices: of the examples to try.
    channels: 1 or 3.
  """

  def choose(height: int, width: int) -> tuple[Box, bool]:
    return center_box(height, width, 1.0), False

  batch = empty_batch(1, 8, channels)
  return [
    bad
    for index in indices  # one by one: they may be many
    for bad in fill(batch, records, [index], [choose], shrink=False).values()
  ]


def fill(
  batch: Batch,
  records: Records,
  ids: Sequence[int],
  choices: Sequence[Callable],
  shrink: bool,
) -> dict[int, Bad]:
  """Reads, decodes and crops the examples into the rows of a batch.

  Returns:
    By row, the examples that cannot be used; nothing was written there.
  """
  bad = {}
  examples = records_lib.read_each(records, ids)
  for row, (example, choose) in enumerate(zip(examples, choices, strict=True)):
    try:
      if isinstance(example, DataError):
        raise example
      _render(example['image'], choose, shrink, batch['image'][row])
    except DataError as error:
      place = records_lib.where(records, ids[row])
      bad[row] = Bad(ids[row], place, str(error))
    else:
      batch['label'][row] = example['label']
      if 'soft_classes' in batch:
        _fill_soft(batch, row, example.get('soft'))
  return bad


def _fill_soft(batch: Batch, row: int, soft: tuple | None) -> None:
  """Writes a teacher's classes; weights of 0 say that the label counts."""
  classes, weights = soft or (0, 0.0)
  batch['soft_classes'][row], batch['soft_weights'][row] = classes, weights


def _render(
  image: bytes | np.ndarray, choose: Callable, shrink: bool, out: np.ndarray
) -> None:
  """Chooses the crop in source pixels, then decodes no more than it needs."""
  resolution, _, channels = out.shape
  if isinstance(image, np.ndarray):
    box, flip = choose(*image.shape[:2])
    pixels = to_channels(image, channels)
  else:
    header = read_header(image)
    box, flip = choose(header.height, header.width)
    factor = shrink_factor(box, resolution) if shrink else 1
    pixels = decode(image, channels, factor, header)
    if pixels.shape[0] < header.height:
      box = shrink_box(box, factor)
  write_crop(pixels, box, flip, out)


def empty_batch(
  local: int, resolution: int, channels: int, soft: int = 0
) -> Batch:
  batch = {
    'image': np.zeros((local, resolution, resolution, channels), np.uint8),
    'label': np.zeros(local, np.int32),
  }
  if soft:
    batch['soft_classes'] = np.zeros((local, soft), np.int32)
    batch['soft_weights'] = np.zeros((local, soft), np.float32)
  return batch
