"""From a config and a pod that is not here to milliseconds and gigabytes.

Everything here is an estimate: the compiler's cost model and a roofline, no
device was timed.
"""

import dataclasses
import functools
import math
import time
from collections.abc import Iterator, Mapping, Sequence

import jax
from jaxtyping import PyTree

from resflax import scaling, schema
from resflax.aot import counts
from resflax.aot.chips import Chip, devices_of
from resflax.config import Resolved
from resflax.data.described import load_or_describe
from resflax.resolution import sizes_from, steps_from
from resflax.training.assemble import assemble
from resflax.training.setup import Setup


@dataclasses.dataclass(frozen=True)
class Estimate:
  """What one program of a run costs, per device (a chip; a core of v2, v3).

  Attributes:
    program: `train` or `eval`.
    resolution: pixels a side.
    steps: how often the run calls it.
    images: a step, on this device.
    devices: of the pod.
    peak_bytes: of memory.
    held: bytes of what the memory holds: parts of the state, the batch, and
      what lives within a step only.
    largest: bytes and names of the largest values within a step.
    flops: of the model, 2 for each multiply-add, 3 times as many in training.
    bytes: read from HBM and written to it.
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
  held: Mapping[str, int]
  largest: Sequence[tuple[int, str]]
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


@dataclasses.dataclass(frozen=True)
class TooLarge:
  """A program that the compiler refuses, for its memory is too small.

  Attributes:
    program: see `Estimate`, as for resolution and images.
    reason: in the compiler's words.
  """

  program: str
  resolution: int
  images: int
  reason: str
  fits: bool = False


def setup_for(config: Mapping, topology: str) -> Setup:
  """Returns a run on a pod that is not here; its data may be described only.

  Args:
    config: nested, possibly partial.
    topology: such as `v5e:16x16`.

  Raises:
    UsageError: something in the config or the topology is not allowed.
  """
  values = schema.complete(config)
  dataset = load_or_describe(values['data.name'], values['data.data_dir'])
  return assemble(config, source=dataset, devices=devices_of(topology))


def estimates(setup: Setup, chip: Chip) -> Iterator[Estimate | TooLarge]:
  """Compiles each program of a run, in the order of their use."""
  for size in sizes_from(setup.stages, 0):
    yield estimate(setup, 'train', size, chip)
  yield estimate(setup, 'eval', setup.resolved['resolution.test'], chip)


def estimate(
  setup: Setup, program: str, resolution: int, chip: Chip
) -> Estimate | TooLarge:
  """Compiles one program, `train` or `eval`, and reads it."""
  start = time.monotonic()
  train = program == 'train'
  batches = batches_of(setup, resolution) if train else 1
  images = batches * setup.resolved['batch_size'] // setup.mesh.size
  lower = setup.lower_eval
  if train:
    lower = functools.partial(setup.lower_train, batches=batches)
  try:
    compiled = lower(resolution).compile()
  except jax.errors.JaxRuntimeError as error:
    if 'RESOURCE_EXHAUSTED' not in str(error):
      raise
    reason = str(error).partition('RESOURCE_EXHAUSTED: ')[2].splitlines()[0]
    return TooLarge(program, resolution, images, reason)
  seconds = time.monotonic() - start
  text, memory = compiled.as_text(), compiled.memory_analysis()
  counted = counts.count(text)
  flops = forward_flops(setup, resolution) * images * (3 if train else 1)
  bounds = flops / chip.flops, counted.bytes / chip.bandwidth
  return Estimate(
    program=program,
    resolution=resolution,
    steps=_train_steps(setup, resolution) if train else _eval_steps(setup),
    images=images,
    devices=setup.mesh.size,
    peak_bytes=memory.peak_memory_in_bytes,
    held=_held(setup, train, setup.batch_shapes(resolution, batches))
    | {'temporaries': memory.temp_size_in_bytes},
    largest=counts.largest(text, 3),
    flops=flops,
    bytes=counted.bytes,
    collectives=counted.collectives,
    collective_bytes=counted.collective_bytes,
    cycles=counted.cycles,
    estimated_ms=counted.cycles / chip.clock_hz * 1e3,
    roofline_ms=1e3 * chip.cores * max(bounds),
    compile_s=seconds,
    fits=memory.peak_memory_in_bytes <= chip.memory / chip.cores,
  )


def batches_of(setup: Setup, resolution: int) -> int:
  """Returns how many batches a training step at a resolution takes."""
  found = (s.batches for s in setup.stages if s.resolution == resolution)
  return next(found, 1)


def _held(setup: Setup, train: bool, batch: PyTree) -> dict[str, int]:
  """Returns the bytes of a device's arguments, by what they are."""
  state = setup.state_shapes
  parts = {'variables': state.eval_variables}
  if train:
    parts = {
      'variables': state.variables,
      'optimizer': state.opt_state,
      'average': state.ema,
    }
  parts['batch'] = batch
  return {name: _bytes_of(part) for name, part in parts.items() if part}


def _bytes_of(shapes: PyTree) -> int:
  return sum(
    math.prod(x.sharding.shard_shape(x.shape)) * x.dtype.itemsize
    for x in jax.tree.leaves(shapes)
  )


def forward_flops(setup: Setup, resolution: int) -> float:
  """Returns the floating-point operations of one image's forward pass."""
  info = setup.dataset.info
  costs = scaling.count(
    setup.resolved.group('model'),
    resolution,
    num_classes=info.num_classes,
    in_channels=info.channels,
  )
  return 2.0 * scaling.totals(costs).macs


def _train_steps(setup: Setup, resolution: int) -> int:
  total = setup.resolved.total_steps
  return sum(
    steps
    for stage, steps in steps_from(setup.stages, 0, total)
    if stage.resolution == resolution
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


def advice(estimate: Estimate | TooLarge, resolved: Resolved) -> str:
  """Says whether a program fits, and what to change where it does not."""
  if estimate.fits:
    return 'fits'
  changes = []
  if resolved['model.remat'] == 'none':
    changes.append('--config.model.remat=blocks')
  if resolved['batch_size'] > 1:
    changes.append(f'--config.batch_size={resolved["batch_size"] // 2}')
  reason = getattr(estimate, 'reason', '')
  return ' '.join(
    filter(None, ['does not fit: try', ' or '.join(changes) + '.', reason])
  )


def run_hours(estimates: Sequence[Estimate]) -> float:
  """Returns the hours of all steps of a run, as estimated."""
  milliseconds = sum(e.steps * e.estimated_ms for e in estimates)
  return milliseconds / 3.6e6
