"""The real training step of a config, without a data set."""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from resflax.data.described import IMAGENET, DescribedDataset
from resflax.parallel import mesh as meshes
from resflax.training.assemble import assemble
from resflax.training.setup import Setup
from resflax.training.state import TrainState

# As configs/imagenet/resnet.py, in the type that CPUs are fast in.
RECIPE = {
  'data': {'name': 'imagenet2012'},
  'optimizer': {'nesterov': True},
  'schedule': {'total_epochs': 90.0, 'warmup_epochs': 5.0},
  'ema': {'decay': 0.0},
}


def make_setup(
  variant: str,
  *,
  resolution: int,
  batch_size: int,
  precision: str = 'float32',
  devices: Sequence[jax.Device] | None = None,
  **model,
) -> Setup:
  """Returns a run of ImageNet's sizes; `model` are fields of config.model."""
  config = RECIPE | {
    'batch_size': batch_size,
    'precision': precision,
    'model': {'variant': variant, 'norm': {'momentum': 0.9}} | model,
    'resolution': {'train': resolution},
  }
  return assemble(config, source=DescribedDataset(IMAGENET), devices=devices)


def random_batch(setup: Setup, resolution: int) -> dict[str, jax.Array]:
  """Returns a batch of noise on the devices."""
  rng = np.random.default_rng(0)
  size = setup.resolved['batch_size']
  info = setup.dataset.info
  shape = (size, resolution, resolution, info.channels)
  batch = {
    'image': rng.integers(0, 256, shape, np.uint8),
    'label': rng.integers(0, info.num_classes, size, np.int32),
  }
  return meshes.shard(setup.mesh, batch)


def stepper(
  program: Callable, state: TrainState, batch: dict
) -> Callable[[], object]:
  """Returns a function that does one more step each time it is called."""
  holder = [state]

  def step():
    holder[0], metrics = program(holder[0], batch)
    return metrics

  return step
