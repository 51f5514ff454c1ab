"""Blocks in a loop against blocks one by one: compile time and step time."""

import jax

from resflax.benchmarks.measure import Row, Times, interleave, timed
from resflax.benchmarks.nets import make_setup, random_batch, stepper

RESOLUTION = 64
BATCH = 8


def run(*, quick: bool) -> list[Row]:
  """Compiles and steps RS-50 and RS-152, and compiles RS-420."""
  rows = []
  compiled = {}
  for depth in (50,) if quick else (50, 152, 420):
    programs = {}
    for scan in ('on', 'off'):
      seconds, programs[scan] = _compiled(depth, scan)
      compiled[depth, scan] = seconds
    on, off = compiled[depth, 'on'], compiled[depth, 'off']
    rows += [
      Row(f'compile RS-{depth}, unrolled', off, 'CPU-s'),
      Row(f'compile RS-{depth}, scanned', on, 'CPU-s', on / off, 'unrolled'),
    ]
    if depth < 420:
      rows += _steps(depth, programs, repeats=3 if quick else 7)
  if not quick:
    first, last = compiled[50, 'on'], compiled[420, 'on']
    rows.append(
      Row(
        'compile RS-420, scanned',
        last,
        'CPU-s',
        last / first,
        'RS-50, scanned',
        '<= 1.15',
      )
    )
  return rows


def _compiled(depth: int, scan: str):
  setup = make_setup(
    f'resnet_rs_{depth}',
    resolution=RESOLUTION,
    batch_size=BATCH,
    scan_blocks=scan,
  )
  shapes = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding),
    state := setup.initial_state(),
  )
  program, cpu, _ = timed(
    lambda: setup.lower_train(shapes, RESOLUTION).compile()
  )
  return cpu, stepper(program, state, random_batch(setup, RESOLUTION))


def _steps(depth: int, programs: dict, *, repeats: int) -> list[Row]:
  times: dict[str, Times] = interleave(programs, repeats=repeats)
  on, off = times['on'].cpu_s, times['off'].cpu_s
  return [
    Row(f'step RS-{depth}, unrolled', off, 'CPU-s'),
    Row(
      f'step RS-{depth}, scanned', on, 'CPU-s', on / off, 'unrolled', '<= 1.05'
    ),
  ]
