"""From a config to the pieces of a run, before anything is compiled.

Training, evaluation of a finished run and ahead-of-time compilation start
from the same pieces, so they cannot disagree.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from resflax.config import Resolved
from resflax.data import sources
from resflax.data.augment import Augment
from resflax.data.pipeline import EvalStep, eval_batches, train_batches
from resflax.data.randaugment import RandAugment
from resflax.models.layout import stack, unstack
from resflax.parallel import mesh as meshes
from resflax.resolution import Stage
from resflax.training.batch import normalise
from resflax.training.optimizers import make_optimizer
from resflax.training.schedules import learning_rate
from resflax.training.state import TrainState, create_state
from resflax.training.steps import make_eval_step, make_train_step


@dataclasses.dataclass(frozen=True)
class Setup:
  """The pieces of a run.

  Attributes:
    resolved: the config with every field decided.
    dataset: where examples come from.
    model: a linen module.
    mesh: the devices.
    stages: the training resolution over the steps.
    loss: `(logits, labels) -> one number an example`.
  """

  resolved: Resolved
  dataset: sources.Dataset
  model: Any
  mesh: jax.sharding.Mesh
  stages: tuple[Stage, ...]
  loss: Callable

  @functools.cached_property
  def num_examples(self) -> int:
    """Examples in the training split: the length of an epoch."""
    return len(self.dataset.split(self.resolved['data.train_split']))

  def forward(
    self, variables: Mapping, images: jax.Array, *, train: bool, rngs: Mapping
  ) -> tuple[jax.Array, Mapping]:
    """Returns logits and new batch statistics for uint8 images."""
    get = self.resolved.values
    images = normalise(
      images, get['data.mean'], get['data.std'], get['precision']
    )
    outputs = self.model.apply(
      variables,
      images,
      train=train,
      rngs=rngs,
      mutable=['batch_stats'] if train else False,
    )
    return outputs if train else (outputs, {})

  @functools.cached_property
  def optimizer(self):
    """The update rule, without the learning rate."""
    get = self.resolved.values
    return make_optimizer(
      get['optimizer.name'],
      momentum=get['optimizer.momentum'],
      nesterov=get['optimizer.nesterov'],
      weight_decay=get['optimizer.weight_decay'],
      decoupled=get['optimizer.decoupled'],
      decay_mask=get['optimizer.decay_mask'],
      clip_norm=get['optimizer.clip_norm'],
    )

  @functools.cached_property
  def learning_rate(self) -> Callable:
    """The learning rate of a step."""
    get = self.resolved.values
    return learning_rate(
      get['schedule.name'],
      peak=get['optimizer.peak_lr'],
      total_steps=get['schedule.total_steps'],
      warmup_steps=get['schedule.warmup_steps'],
      drops=get['schedule.drops'],
      drop_factor=get['schedule.drop_factor'],
    )

  def initial_state(self) -> TrainState:
    """Returns the state at step 0, the same on every device."""
    # Variables leaf by leaf: one program for all of them takes minutes to
    # compile for a deep network, and each shape alone is compiled once.
    variables = self.model.lazy_init(*self._example, train=False)
    create = jax.jit(self._create, out_shardings=meshes.replicated(self.mesh))
    return create(variables)

  @functools.cached_property
  def state_shapes(self) -> TrainState:
    """The shapes and shardings of a state."""
    init = functools.partial(self.model.init, train=False)
    variables = jax.eval_shape(init, *self._example)
    return self._everywhere(jax.eval_shape(self._create, variables))

  @property
  def saved_shapes(self) -> TrainState:
    """The shapes and shardings of a state as it is saved."""
    return self._everywhere(jax.eval_shape(unstack, self.state_shapes))

  @property
  def _example(self) -> tuple[jax.Array, jax.ShapeDtypeStruct]:
    """What the model is initialised with: a key, and one image's shape."""
    size = self.stages[0].resolution
    shape = (1, size, size, self.dataset.info.channels)
    key = jax.random.key(self.resolved['seed'])
    return key, jax.ShapeDtypeStruct(shape, jnp.float32)

  def _create(self, variables: Mapping) -> TrainState:
    average = self.resolved['ema.decay'] > 0
    return create_state(variables, self.optimizer, ema=average)

  def _everywhere(self, shapes: TrainState) -> TrainState:
    sharding = meshes.replicated(self.mesh)
    return jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
      shapes,
    )

  def from_saved(self, state: TrainState) -> TrainState:
    """Returns the state in the layout of the model."""
    if not getattr(self.model, 'scan_blocks', False):
      return state
    everywhere = meshes.replicated(self.mesh)
    return jax.jit(stack, out_shardings=everywhere)(state)

  def lower_train(self, resolution: int):
    """Returns the lowered training step of one stage."""
    step = make_train_step(
      self.forward,
      self.loss,
      self.optimizer,
      self.learning_rate,
      seed=self.resolved['seed'],
      ema_decay=self.resolved['ema.decay'],
      ema_dynamic=self.resolved['ema.dynamic'],
    )
    everywhere = meshes.replicated(self.mesh)
    jitted = jax.jit(step, donate_argnums=0, out_shardings=everywhere)
    return jitted.lower(self.state_shapes, self.batch_shapes(resolution))

  def lower_eval(self, resolution: int):
    """Returns the lowered evaluation step."""
    step = make_eval_step(self.forward, self.loss)
    jitted = jax.jit(step, out_shardings=meshes.replicated(self.mesh))
    variables = self.state_shapes.eval_variables
    return jitted.lower(variables, self.batch_shapes(resolution))

  def batch_shapes(self, resolution: int) -> dict:
    """Returns the shapes and shardings of a batch."""
    size = self.resolved['batch_size']
    sharding = meshes.batch_sharded(self.mesh)
    shape = (size, resolution, resolution, self.dataset.info.channels)
    return {
      'image': jax.ShapeDtypeStruct(shape, jnp.uint8, sharding=sharding),
      'label': jax.ShapeDtypeStruct((size,), jnp.int32, sharding=sharding),
    }

  def train_batches(self, start: int) -> Iterator[dict]:
    """Returns the batches of the steps from `start` on."""
    get = self.resolved.values
    return train_batches(
      self.dataset.split(get['data.train_split']),
      seed=get['seed'],
      batch_size=get['batch_size'],
      stages=self.stages,
      start=start,
      stop=get['schedule.total_steps'],
      augment=self._augment(),
      channels=self.dataset.info.channels,
      shuffle=get['data.shuffle'],
      workers=get['data.workers'],
      shard=(jax.process_index(), jax.process_count()),
    )

  def _augment(self) -> Augment:
    fields = self.resolved.group('augment')
    randaugment = RandAugment(**fields.pop('randaugment'))
    return Augment(**fields, randaugment=randaugment)

  def eval_batches(
    self,
    split: str,
    *,
    resolution: int | None = None,
    crop: float | None = None,
  ) -> Iterator[dict]:
    """Returns the padded batches of a split, with the mask."""
    get = self.resolved.values
    return eval_batches(
      self.dataset.split(split),
      batch_size=get['batch_size'],
      resolution=resolution or get['resolution.test'],
      crop=crop or get['resolution.test_crop'],
      channels=self.dataset.info.channels,
      shard=(jax.process_index(), jax.process_count()),
    )

  def picture(self, split: str, index: int) -> np.ndarray:
    """Returns an example of a split as evaluation sees it, 96 px at most."""
    get = self.resolved.values
    one = EvalStep(
      self.dataset.split(split),
      batch_size=1,
      resolution=min(get['resolution.test'], 96),
      crop=get['resolution.test_crop'],
      channels=self.dataset.info.channels,
      rows=range(1),
    )
    return one(index)['image'][0]
