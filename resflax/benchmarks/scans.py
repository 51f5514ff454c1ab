"""Blocks in a loop against blocks one by one; blocks kept or computed again."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from resflax.benchmarks.measure import Row, interleave, timed
from resflax.benchmarks.nets import make_setup, random_batch, stepper

RESOLUTION = 64
BATCH = 8

FORMS = {
  'scanned': {'scan_blocks': 'on'},
  'unrolled': {'scan_blocks': 'off'},
  'scanned, remat': {'scan_blocks': 'on', 'remat': 'blocks'},
  'unrolled, remat': {'scan_blocks': 'off', 'remat': 'blocks'},
}


class Compiled(NamedTuple):
  """A compiled step.

  Attributes:
    seconds: CPU-seconds of trace, lowering and compilation.
    temporary_mib: memory of a step beside state and batch.
    start: makes a state, and returns a function that does one more step.
  """

  seconds: float
  temporary_mib: float
  start: Callable


def run(*, quick: bool) -> Iterator[Row]:
  """Compiles and steps RS-50 and, unless quick, RS-152; compiles RS-420."""
  first = None
  for depth in (50, 420) if quick else (50, 152, 420):
    on = _compiled(depth, **FORMS['scanned'])
    first = first or on
    yield Row(
      *(f'compile RS-{depth}, scanned', on.seconds, 'CPU-s'),
      *(on.seconds / first.seconds, 'RS-50, scanned', '<= 1.15'),
    )
    off = _compiled(depth, **FORMS['unrolled'])
    yield Row(
      *(f'compile RS-{depth}, unrolled', off.seconds, 'CPU-s'),
      *(off.seconds / on.seconds, 'scanned', '>= 4 for RS-420'),
    )
    if depth < 420:
      yield from _steps(depth, {'scanned': on, 'unrolled': off}, quick=quick)


def _compiled(depth: int, **model) -> Compiled:
  setup = make_setup(
    f'resnet_rs_{depth}', resolution=RESOLUTION, batch_size=BATCH, **model
  )
  program, seconds, _ = timed(lambda: setup.lower_train(RESOLUTION).compile())
  memory = program.memory_analysis().temp_size_in_bytes / 2**20

  def start():
    batch = random_batch(setup, RESOLUTION)
    return stepper(program, setup.initial_state(), batch)

  return Compiled(seconds, memory, start)


def _steps(
  depth: int, known: dict[str, Compiled], *, quick: bool
) -> Iterator[Row]:
  """Steps all forms in turns; a table's row each for time and memory."""
  compiled = {
    name: known.get(name) or _compiled(depth, **form)
    for name, form in FORMS.items()
  }
  times = interleave(
    {name: compiled[name].start() for name in FORMS},
    repeats=3 if quick else 7,
  )
  unrolled = times['unrolled'].cpu_s
  for name in FORMS:
    seconds = times[name].cpu_s
    bar = '<= 1.05' if name == 'scanned' else ''
    yield Row(
      *(f'step RS-{depth}, {name}', seconds, 'CPU-s'),
      *(seconds / unrolled, 'unrolled', bar),
    )
    memory = compiled[name].temporary_mib
    yield Row(
      *(f'memory RS-{depth}, {name}', memory, 'MiB'),
      *(memory / compiled['unrolled'].temporary_mib, 'unrolled'),
    )
