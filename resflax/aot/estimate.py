"""From a config and a pod that is not here to milliseconds and gigabytes.

Everything here is an estimate: the compiler's cost model and a roofline, no
device was timed.
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping

from resflax import scaling, schema
from resflax.aot import hlo
from resflax.aot.chips import Chip, chip_of, devices_of
from resflax.data.described import load_or_describe
from resflax.resolution import sizes_from, steps_from
from resflax.training.assemble import assemble
from resflax.training.setup import Setup


@dataclasses.dataclass(frozen=True)
class Estimate:
  """What one program of a run costs, per device (a core of v2, v3, v4, v5p).

  Attributes:
    program: `train` or `eval`.
    resolution: pixels a side.
    steps: how often the run calls it.
    images: a step, on this device.
    devices: of the pod.
    peak_bytes: of memory.
    state_bytes: of them, what stays from step to step.
    temporary_bytes: of them, what lives within a step.
    flops: of the model, 2 for each multiply-add, 3 times as many in training.
    bytes: moved between memory and chip.
    collectives: how many of each kind.
    collective_bytes: of their results.
    cycles: the sum of the compiler's estimates.
    estimated_ms: of these cycles.
    roofline_ms: the larger of flops and bytes over what the chip can do.
    compile_s: on this machine, trace and lowering included.
    fits: in the memory.
  """

  program: str
  resolution: int
  steps: int
  images: int
  devices: int
  peak_bytes: int
  state_bytes: int
  temporary_bytes: int
  flops: float
  bytes: int
  collectives: Mapping[str, int]
  collective_bytes: int
  cycles: int
  estimated_ms: float
  roofline_ms: float
  compile_s: float
  fits: bool

  @property
  def images_per_second(self) -> float:
    """Of this device, by the compiler's estimate."""
    return self.images / self.estimated_ms * 1e3


def estimates(config: Mapping, topology: str) -> Iterator[Estimate]:
  """Compiles each program of a run for a pod, in the order of their use.

  Args:
    config: nested, possibly partial.
    topology: such as `v5e:16x16`.

  Raises:
    UsageError: something in the config or the topology is not allowed.
  """
  chip, devices = chip_of(topology), devices_of(topology)
  values = schema.complete(config)
  dataset = load_or_describe(values['data.name'], values['data.data_dir'])
  setup = assemble(config, source=dataset, devices=devices)
  for size in sizes_from(setup.stages, 0):
    yield _estimate(setup, 'train', size, _train_steps(setup, size), chip)
  size = setup.resolved['resolution.test']
  yield _estimate(setup, 'eval', size, _eval_steps(setup), chip)


def _estimate(
  setup: Setup, program: str, resolution: int, steps: int, chip: Chip
) -> Estimate:
  start = time.monotonic()
  lowered = (
    setup.lower_train(resolution)
    if program == 'train'
    else setup.lower_eval(resolution)
  )
  compiled = lowered.compile()
  seconds = time.monotonic() - start
  counts = hlo.count(compiled.as_text())
  memory = compiled.memory_analysis()
  images = setup.resolved['batch_size'] // setup.mesh.size
  flops = _flops(setup, resolution) * images * (3 if program == 'train' else 1)
  peak = memory.peak_memory_in_bytes
  return Estimate(
    program=program,
    resolution=resolution,
    steps=steps,
    images=images,
    devices=setup.mesh.size,
    peak_bytes=peak,
    state_bytes=memory.argument_size_in_bytes,
    temporary_bytes=memory.temp_size_in_bytes,
    flops=flops,
    bytes=counts.bytes,
    collectives=counts.collectives,
    collective_bytes=counts.collective_bytes,
    cycles=counts.cycles,
    estimated_ms=counts.cycles / chip.clock_hz * 1e3,
    roofline_ms=1e3
    * chip.cores
    * max(flops / chip.flops, counts.bytes / chip.bandwidth),
    compile_s=seconds,
    fits=peak <= chip.memory / chip.cores,
  )


def _flops(setup: Setup, resolution: int) -> float:
  """Floating-point operations of one image's forward pass."""
  info = setup.dataset.info
  costs = scaling.count(
    setup.resolved.group('model'),
    resolution,
    num_classes=info.num_classes,
    in_channels=info.channels,
  )
  return 2.0 * scaling.totals(costs).macs


def _train_steps(setup: Setup, resolution: int) -> int:
  total = setup.resolved['schedule.total_steps']
  return sum(
    steps
    for size, steps in steps_from(setup.stages, 0, total)
    if size == resolution
  )


def _eval_steps(setup: Setup) -> int:
  get = setup.resolved.values
  batches = {
    name: math.ceil(
      len(setup.dataset.split(get[f'data.{name}_split'])) / get['batch_size']
    )
    for name in ('val', 'test')
  }
  times = math.ceil(get['schedule.total_steps'] / get['eval_every_steps'])
  return times * batches['val'] + batches['test']


def advice(estimate: Estimate) -> str:
  """Says what to change where a program does not fit."""
  if estimate.fits:
    return 'fits'
  return (
    'does not fit: halve config.batch_size, or set config.model.remat=blocks '
    '(with config.model.scan_blocks=on)'
  )


def run_hours(estimates: list[Estimate]) -> float:
  """Returns the hours of all steps of a run, as estimated."""
  milliseconds = sum(e.steps * e.estimated_ms for e in estimates)
  return milliseconds / 3.6e6
