"""Blocks in a loop against blocks one by one: compile time and step time."""

from collections.abc import Callable, Iterator

from resflax.benchmarks.measure import Row, Times, interleave, timed
from resflax.benchmarks.nets import make_setup, random_batch, stepper

RESOLUTION = 64
BATCH = 8


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles and steps RS-50 and RS-152, and compiles RS-420."""
  first = None
  for depth in (50,) if quick else (50, 152, 420):
    on, scanned = _compiled(depth, 'on')
    first = first or on
    yield Row(
      *(f'compile RS-{depth}, scanned', on, 'CPU-s', on / first),
      *('RS-50, scanned', '<= 1.15'),
    )
    off, unrolled = _compiled(depth, 'off')
    yield Row(
      *(f'compile RS-{depth}, unrolled', off, 'CPU-s', off / on, 'scanned'),
      '>= 4 for RS-420',
    )
    if depth < 420:
      programs = {'on': scanned(), 'off': unrolled()}
      yield from _steps(depth, programs, repeats=3 if quick else 7)


def _compiled(depth: int, scan: str) -> tuple[float, Callable]:
  """Returns CPU-seconds of trace, lowering and compilation; a way to step."""
  setup = make_setup(
    f'resnet_rs_{depth}',
    resolution=RESOLUTION,
    batch_size=BATCH,
    scan_blocks=scan,
  )
  program, seconds, _ = timed(lambda: setup.lower_train(RESOLUTION).compile())
  batch = random_batch(setup, RESOLUTION)
  return seconds, lambda: stepper(program, setup.initial_state(), batch)


def _steps(depth: int, programs: dict, *, repeats: int) -> list[Row]:
  times: dict[str, Times] = interleave(programs, repeats=repeats)
  on, off = times['on'].cpu_s, times['off'].cpu_s
  return [
    Row(f'step RS-{depth}, unrolled', off, 'CPU-s'),
    Row(
      f'step RS-{depth}, scanned', on, 'CPU-s', on / off, 'unrolled', '<= 1.05'
    ),
  ]
