"""ResNet-RS and EfficientNet side by side, at equal conditions.

Each way of measuring is the same program for all nineteen models, a training
step or an evaluation, on one kind of device. Rows are kept in a file as they
come, and what is there is not measured again, for TPU programs take minutes.
"""

import functools
import pathlib
import time
from collections.abc import Iterator

import jax

from resflax.aot.chips import CHIPS, devices_of
from resflax.aot.estimate import estimate
from resflax.benchmarks import tpu_published
from resflax.benchmarks.frontier_rows import (
  MODELS,
  TPU,
  Measured,
  Model,
  append,
  cost_of,
  read,
  speed_ups,
)
from resflax.benchmarks.gpu_steps import CALLS, calls, check_gpu
from resflax.benchmarks.measure import Row, interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper

_QUICK = ('RS-50 @ 160', 'RS-101 @ 160', 'B0 @ 224', 'B2 @ 260')
V3 = 'TPU v3 step, estimated'
_POD, _POD_IMAGES = 'v5p:2x2x1', 32
_CPU_IMAGES, _GPU_IMAGES = 1, 32


def run(
  *, quick: bool, device: str = 'cpu', kept: str | None = None
) -> Iterator[Row]:
  """Measures what is not kept, and yields it all with what follows.

  Args:
    quick: two models of each family.
    device: `tpu`, which is compiled for, or `cpu` or `gpu`, which are timed.
    kept: a file of JSON lines, read first and appended to.

  Raises:
    UsageError: JAX sees no GPU, or libtpu is missing.
  """
  if device == 'gpu':
    check_gpu()
  path = pathlib.Path(kept) if kept else None
  known = {(row.label, row.way): row for row in read(path)}
  for way in WAYS[device]:
    for model in MODELS:
      if quick and model.label not in _QUICK:
        continue
      if (model.label, way) not in known:
        known[model.label, way] = measure(model, device, way)
        append(path, known[model.label, way])
        jax.clear_caches()  # which hold on to programs of gigabytes
      yield _row(model, known[model.label, way])
    ratios = speed_ups(functools.partial(cost_of, known, way))
    for label, ratio in ratios.items():
      yield Row(f'{label}, {way}: EfficientNet at its accuracy', ratio, 'times')


def measure(model: Model, device: str, way: str) -> Measured:
  """Compiles a model's program, and runs it where that is the way."""
  start = time.monotonic()
  ms, images, name = WAYS[device][way](model)
  return Measured(
    label=model.label,
    way=way,
    ms=float(f'{ms:.5g}'),
    images=images,
    device=name,
    seconds=round(time.monotonic() - start),
    jax=jax.__version__,
  )


def _tpu_v3(model: Model) -> tuple[float, int, str]:
  """A training step as it was published, see `tpu_published`."""
  devices = devices_of(tpu_published.TOPOLOGY)
  found = tpu_published.fitting(model.variant, model.resolution, devices)
  return found.estimated_ms / found.images, found.images, 'a core of TPU v3'


def _tpu_v5p(model: Model) -> tuple[float, int, str]:
  """A training step of equally many images for every model."""
  devices = devices_of(_POD)
  setup = make_setup(
    model.variant,
    resolution=model.resolution,
    batch_size=_POD_IMAGES * len(devices),
    precision='bfloat16',
    devices=devices,
    scan_blocks='on',
    norm={'momentum': 0.9, 'group_size': _POD_IMAGES},
  )
  found = estimate(setup, 'train', model.resolution, CHIPS['v5p'])
  return found.estimated_ms / found.images, found.images, 'TPU v5p'


def _cpu(model: Model) -> tuple[float, int, str]:
  """Evaluation on the CPU at hand, in CPU-seconds."""
  setup = make_setup(
    model.variant, resolution=model.resolution, batch_size=_CPU_IMAGES
  )
  program = setup.lower_eval(model.resolution).compile()
  variables = setup.initial_state().eval_variables
  batch = random_batch(setup, model.resolution)
  times = interleave(
    {'ours': functools.partial(program, variables, batch)}, repeats=3
  )
  return 1e3 * min(times['ours'].cpu) / _CPU_IMAGES, _CPU_IMAGES, 'CPU'


def _gpu(model: Model) -> tuple[float, int, str]:
  """A training step on the GPU at hand."""
  setup = make_setup(
    model.variant,
    resolution=model.resolution,
    batch_size=_GPU_IMAGES,
    precision='bfloat16',
    scan_blocks='off',
  )
  program = setup.lower_train(model.resolution).compile()
  batch = random_batch(setup, model.resolution)
  step = stepper(program, setup.initial_state(), batch)
  times = interleave({'ours': calls(step)}, repeats=5)
  ms = 1e3 * times['ours'].wall_s / CALLS / _GPU_IMAGES
  return ms, _GPU_IMAGES, jax.devices()[0].device_kind


# By `--device`; of each way, what it is and how it is done.
WAYS = {
  'tpu': {
    V3: _tpu_v3,
    'TPU v5p step, estimated': _tpu_v5p,
  },
  'cpu': {'CPU evaluation': _cpu},
  'gpu': {'GPU step': _gpu},
}


def _row(model: Model, row: Measured) -> Row:
  what = f'{row.label}, {row.way}, {row.images} images'
  if row.way != V3:
    return Row(what, row.ms, 'ms an image')
  ratio = row.ms / model.published[TPU]
  return Row(what, row.ms, 'ms an image', ratio, TPU)
