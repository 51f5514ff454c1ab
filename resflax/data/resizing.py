"""Smaller copies of a data set: fewer bytes to read and to decode."""

import functools
import shlex
from collections.abc import Iterator

import simplejpeg

from resflax.data.crops import Box, resize, shrink_factor
from resflax.data.decode import decode
from resflax.data.describing import check_origin
from resflax.data.headers import read_header
from resflax.data.local import target_dir
from resflax.data.memory import DecodedRecords
from resflax.data.passes import one_pass
from resflax.data.prepared import PreparedDataset, find_prepared
from resflax.data.records import Records, read
from resflax.data.sources import FOLDER
from resflax.data.writing import Encoded, Images, write
from resflax.errors import DataError, UsageError


def copy_name(name: str, max_side: int) -> str:
  """The name of a copy: `imagenet2012` becomes `imagenet2012_max512`."""
  return f'{name.partition(":")[0].replace("/", "_")}_max{max_side}'


def write_copy(
  name: str, max_side: int, quality: int, data_dir: str | None = None
) -> tuple[PreparedDataset, bool]:
  """Writes a copy of a prepared data set whose images fit into a square.

  The order is that of the original, so a run sees the same examples. Images
  that fit, and files that cannot be decoded, are copied as they are.

  Args:
    name: of the prepared data set.
    max_side: longest side in pixels.
    quality: of the JPEG files written, 1 to 100.
    data_dir: where both are; None is TFDS's default.

  Returns:
    The copy, and whether it was there already.

  Raises:
    UsageError: the data set is not prepared or has small images, or there is
      a copy that was made from another version or with another quality.
    DataError: an example that cannot be read.
    StorageError: the copy cannot be written.
  """
  data_dir = target_dir(data_dir)
  source = _source(name, data_dir)
  info = source.info
  copy = copy_name(name, max_side)
  origin = {
    'dataset': name.partition(':')[0],
    'version': info.version,
    'max_side': max_side,
    'quality': quality,
  }
  if there := find_prepared(copy, data_dir):
    check_origin(there.folder, origin, 'delete it to make it again')
    return there, True
  write(
    Images(
      name=copy,
      version=info.version.partition('+')[0],  # TFDS knows numbers only
      description=f'{info.name} {info.version}, sides up to {max_side} pixels.',
      origin=origin,
      class_names=info.class_names,
      channels=info.channels,
      splits={
        split: functools.partial(
          _smaller_images, source.split(split), split, max_side, quality
        )
        for split in info.splits
      },
      data_dir=data_dir,
    )
  )
  return PreparedDataset(copy, data_dir), False


def smaller(image: bytes, max_side: int, quality: int) -> bytes:
  """Returns the image as JPEG within `max_side`, or as it is if it fits.

  Raises:
    DataError: it cannot be decoded.
  """
  header = read_header(image)
  longest = max(header.height, header.width)
  if longest <= max_side:
    return image
  height = max(1, round(header.height * max_side / longest))
  width = max(1, round(header.width * max_side / longest))
  shrink = shrink_factor(Box(0, 0, longest, longest), max_side)
  pixels = decode(image, header.channels, shrink, header)
  pixels = resize(pixels, width, height).reshape(height, width, header.channels)
  grey = header.channels == 1
  return simplejpeg.encode_jpeg(
    pixels,
    quality,
    colorspace='GRAY' if grey else 'RGB',
    colorsubsampling='Gray' if grey else '420',
  )


def _source(name: str, data_dir: str) -> PreparedDataset:
  """Opens a data set of which a smaller copy makes sense."""
  if name.startswith(FOLDER):
    folder = shlex.quote(name.removeprefix(FOLDER))
    raise UsageError(
      f'{name} must be imported before it is copied with --max_side: python -m '
      f'scripts.prepare_data --folder={folder} --data_dir={data_dir}'
    )
  source = PreparedDataset(name, data_dir)
  for split in source.info.splits:
    if isinstance(source.split(split), DecodedRecords):
      raise UsageError(
        f'{name} holds images so small that they are kept in memory: a copy '
        'with --max_side saves nothing.'
      )
  return source


def _smaller_images(
  records: Records, split: str, max_side: int, quality: int
) -> Iterator[Encoded]:
  def copied(index: int) -> Encoded:
    try:
      [record] = read(records, [index])
    except DataError as error:
      raise DataError(f'{error} (--verify lists all that are bad)') from error
    try:
      image = smaller(record['image'], max_side, quality)
    except DataError:  # `--verify` finds it here as it does in the original
      image = record['image']
    return Encoded(image, record['label'], f'{records!r} {index}')

  return one_pass(copied, len(records), split)
