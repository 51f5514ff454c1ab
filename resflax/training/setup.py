"""From a config to the pieces of a run, before anything is compiled.

Training, evaluation of a finished run and ahead-of-time compilation start
from the same pieces, so they cannot disagree.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from resflax.batches import batches_before
from resflax.config import Resolved
from resflax.data import sources
from resflax.models.layers import GroupBatchNorm
from resflax.models.layout import stack, unstack
from resflax.parallel import mesh as meshes
from resflax.resolution import Stage
from resflax.training.batch import Distort, Normalise
from resflax.training.inputs import Inputs
from resflax.training.layerwise import Factors, at_rest, resting
from resflax.training.optimizers import Rule
from resflax.training.state import TrainState, create_state, path_of
from resflax.training.steps import make_eval_step, make_train_step
from resflax.training.teaching import Teacher
from resflax.training.updates import rate_of, update_rule


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
    teacher: whose classes are learned as well.
    initial: the model's variables at the start, block by block; None = drawn.
  """

  resolved: Resolved
  dataset: sources.Dataset
  model: Any
  mesh: jax.sharding.Mesh
  stages: tuple[Stage, ...]
  loss: Callable
  teacher: Teacher | None = None
  initial: Mapping | None = None

  @functools.cached_property
  def inputs(self) -> Inputs:
    """The batches of the run."""
    return Inputs(self.resolved, self.dataset, self.stages)

  @functools.cached_property
  def num_examples(self) -> int:
    """Examples to train on, each counted once."""
    return len(self.inputs.train_records)

  def batches_before(self, step: int) -> int:
    """Returns how many batches the steps before a step take."""
    return batches_before(self.stages, step)

  def examples_before(self, step: int) -> int:
    """Returns the examples before a step, those of earlier epochs too."""
    return self.batches_before(step) * self.resolved['batch_size']

  def forward(
    self,
    variables: Mapping,
    images: jax.Array,
    *,
    train: bool,
    rngs: Mapping,
    strength: float = 1.0,
  ) -> tuple[jax.Array, Mapping]:
    """Returns logits and new batch statistics for normalised images.

    Args:
      variables: of the model.
      images: normalised.
      train: whether statistics are the batch's.
      rngs: keys of dropout and stochastic depth.
      strength: part of the dropout rate.
    """
    model = self.model
    if strength < 1 and getattr(model, 'dropout_rate', 0):
      model = model.clone(dropout_rate=model.dropout_rate * strength)
    if not train:
      return model.apply(variables, images, train=False), {}
    variables = {
      **variables,
      'params': at_rest(self.factors, variables['params']),
    }
    with resting(self.factors, GroupBatchNorm):
      return model.apply(
        variables, images, train=True, rngs=rngs, mutable=['batch_stats']
      )

  def predict(self, variables: Mapping, images: jax.Array) -> jax.Array:
    """Returns the logits of evaluation for uint8 images."""
    images = self.normalise(images)
    return self.forward(variables, images, train=False, rngs={})[0]

  @property
  def normalise(self) -> Normalise:
    get = self.resolved.values
    return Normalise(get['data.mean'], get['data.std'], get['precision'])

  def _distort(self, strength: float) -> Distort:
    get = self.resolved.values
    constant = ('color_jitter', 'lighting', 'erasing')
    return Distort(
      self.normalise,
      **{name: get[f'augment.{name}'] for name in constant},
      mixup=strength * get['augment.mixup'],
      cutmix=strength * get['augment.cutmix'],
    )

  @functools.cached_property
  def optimizer(self) -> Rule:
    """The update rule, without the learning rate."""
    return update_rule(self.resolved, self.factors)

  @functools.cached_property
  def factors(self) -> Factors:
    """What the learning rate of each layer is multiplied by."""
    factors = Factors(self.resolved['optimizer.lr_factors'])
    if factors:
      params = self._variable_shapes['params']
      leaves = jax.tree_util.tree_leaves_with_path(params)
      drawn = not self.resolved['init.weights']
      factors.check((path_of(keys) for keys, _ in leaves), drawn=drawn)
    return factors

  @functools.cached_property
  def learning_rate(self) -> Callable:
    """The learning rate of a step."""
    return rate_of(self.resolved, self.stages)

  def initial_state(self) -> TrainState:
    """Returns the state at step 0, the same on every device."""
    # Variables leaf by leaf: one program for all of them takes minutes to
    # compile for a deep network, and each shape alone is compiled once.
    if self.initial is None:
      variables = self.model.lazy_init(*self._example, train=False)
    else:
      variables = self.from_blocks(self.initial)
    create = jax.jit(self._create, out_shardings=self._shardings)
    return create(variables)

  @functools.cached_property
  def state_shapes(self) -> TrainState:
    """The shapes and shardings of a state."""
    shapes = jax.eval_shape(self._create, self._variable_shapes)
    return self._placed(shapes)

  @property
  def _shardings(self) -> TrainState:
    return jax.tree.map(lambda x: x.sharding, self.state_shapes)

  @functools.cached_property
  def _variable_shapes(self) -> Mapping:
    init = functools.partial(self.model.init, train=False)
    return jax.eval_shape(init, *self._example)

  @property
  def saved_shapes(self) -> TrainState:
    """The shapes and shardings of a state as it is saved."""
    return self._placed(jax.eval_shape(unstack, self.state_shapes))

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

  def _placed(self, shapes: TrainState) -> TrainState:
    """Gives shapes their shardings: what `zero1` spreads, and the rest whole.

    Source: Rajbhandari et al. 2020, "ZeRO", stage 1, over the data axis.
    """
    placed = meshes.placed(self.mesh, shapes)
    if self.resolved['optimizer.sharding'] == 'replicated':
      return placed
    return placed.replace(
      opt_state=meshes.placed(self.mesh, shapes.opt_state, spread=True),
      ema=meshes.placed(self.mesh, shapes.ema, spread=True),
    )

  @property
  def _scans(self) -> bool:
    return getattr(self.model, 'scan_blocks', False)

  def from_blocks(self, variables: Mapping) -> Mapping:
    """Returns a model's variables, block by block, in its layout."""
    return stack(variables) if self._scans else variables

  def from_saved(self, state: TrainState) -> TrainState:
    """Returns the state in the layout of the model."""
    if not self._scans:
      return state
    return jax.jit(stack, out_shardings=self._shardings)(state)

  def lower_train(
    self, resolution: int, strength: float = 1.0, batches: int = 1
  ):
    """Returns the lowered training step of one stage."""
    return self.jit_train(strength, batches).lower(
      self.state_shapes,
      self.batch_shapes(resolution, batches, soft=self.inputs.soft),
      *self.beside_batch,
    )

  def jit_train(self, strength: float = 1.0, batches: int = 1):
    """Returns the training step of one stage, of any resolution."""
    # Source of the power: Busbridge et al. 2023, the EMA scaling rule.
    decay = self.resolved['ema.decay'] ** batches
    step = make_train_step(
      functools.partial(self.forward, strength=strength),
      self._distort(strength),
      self.loss,
      self.optimizer,
      self.learning_rate,
      seed=self.resolved['seed'],
      ema_decay=decay,
      ema_dynamic=self.resolved['ema.dynamic'],
      split=self._split if self.resolved['optimizer.accumulate'] > 1 else None,
      teach=self.teacher.loss if self.teacher else None,
      gradient_norms=self.resolved['log_gradient_norms'],
    )
    shardings = self._shardings, meshes.replicated(self.mesh)
    return jax.jit(step, donate_argnums=0, out_shardings=shardings)

  @property
  def beside_batch(self) -> tuple:
    """What a training step takes after state and batch."""
    return (self.teacher.variables,) if self.teacher else ()

  def _split(self, arrays: PyTree) -> PyTree:
    """Returns the parts of a batch whose gradients are accumulated."""
    parts = self.resolved['optimizer.accumulate']
    return meshes.parts_of(self.mesh, arrays, parts)

  def lower_eval(self, resolution: int, columns: tuple[int, ...] | None = None):
    """Returns the lowered evaluation step.

    Args:
      resolution: of the images, in pixels.
      columns: the classes that compete, and of which labels and predictions
        are the places; None = all.
    """

    def predict(variables, images):
      logits = self.predict(variables, images)
      return logits if columns is None else logits[:, jnp.array(columns)]

    step = make_eval_step(predict, self.loss)
    jitted = jax.jit(step, out_shardings=meshes.replicated(self.mesh))
    variables = meshes.placed(self.mesh, self.state_shapes.eval_variables)
    return jitted.lower(variables, self.batch_shapes(resolution))

  def batch_shapes(
    self, resolution: int, batches: int = 1, *, soft: int = 0
  ) -> dict:
    """Returns the shapes and shardings of what a step takes."""
    size = batches * self.resolved['batch_size']
    sharding = meshes.batch_sharded(self.mesh)
    shape = (size, resolution, resolution, self.dataset.info.channels)
    shapes = {
      'image': (shape, jnp.uint8),
      'label': ((size,), jnp.int32),
    }
    if soft:
      shapes['soft_classes'] = (size, soft), jnp.int32
      shapes['soft_weights'] = (size, soft), jnp.float32
    return {
      name: jax.ShapeDtypeStruct(*shape, sharding=sharding)
      for name, shape in shapes.items()
    }
