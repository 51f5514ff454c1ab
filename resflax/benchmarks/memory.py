"""Whether the input pipeline's memory grows over a long run."""

import itertools
import resource
import sys
import tempfile
from collections.abc import Iterator

from resflax.benchmarks import photos
from resflax.benchmarks.input_peers import resflax
from resflax.benchmarks.measure import Row

BATCH = 4
RESOLUTION = 64


def run(*, quick: bool) -> Iterator[Row]:
  """Makes 100,000 batches (quick: 5,000) and looks at the peak on the way."""
  batches = 5_000 if quick else 100_000
  marks = [batches // 100, batches // 10, batches // 2, batches]
  first = None
  with tempfile.TemporaryDirectory() as data_dir:
    images = photos.prepare(None, data_dir)
    made = resflax(data_dir, images, RESOLUTION, batch_size=BATCH)
    for count, _ in enumerate(itertools.islice(made, batches), start=1):
      if count in marks:
        peak = _peak_mib()
        first = first or peak
        yield Row(
          *(f'peak after {count:,} batches', peak, 'MiB'),
          *(peak / first, f'after {marks[0]:,}', '<= 1.02'),
        )


def _peak_mib() -> float:
  """Returns the most memory that the process has held."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return peak / 2**20 if sys.platform == 'darwin' else peak / 2**10
