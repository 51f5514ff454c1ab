"""What a second start of a run pays for its programs."""

import tempfile
from collections.abc import Iterator

import jax

from resflax.benchmarks.measure import Row, timed
from resflax.benchmarks.nets import make_setup
from resflax.training.environment import use_compilation_cache

RESOLUTION = 224
BATCH = 8


def run(*, quick: bool) -> Iterator[Row]:
  """Lowers and compiles a ResNet-50 step with an empty cache, then again."""
  del quick  # once is all it takes
  variant = 'resnet50'
  with tempfile.TemporaryDirectory() as folder:
    use_compilation_cache(folder)
    first, second = _seconds(variant), _seconds(variant)
  yield Row(f'{variant}: trace, lower, compile', first, 'CPU-s')
  yield Row(
    *(f'{variant}: the same, from the cache', second, 'CPU-s'),
    *(second / first, 'the first', '<= 0.2'),
  )


def _seconds(variant: str) -> float:
  jax.clear_caches()  # what the process has in memory
  setup = make_setup(variant, resolution=RESOLUTION, batch_size=BATCH)
  _, seconds, _ = timed(lambda: setup.lower_train(RESOLUTION).compile() and ())
  return seconds
