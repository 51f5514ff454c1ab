"""The baseline: a ResNet-50 step as Flax's ImageNet example has it.

Written anew after its description: `nn.Conv`, `nn.BatchNorm` over the whole
batch, weight decay as a term of the loss, `optax.sgd`, float images.

Source: github.com/google/flax, examples/imagenet (models.py, train.py).
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax import struct

from resflax.parallel import mesh as meshes

DEPTHS = (3, 4, 6, 3)


class Bottleneck(nn.Module):
  """1x1, 3x3 with the stride, 1x1, and a projection where the shape changes."""

  features: int
  stride: int
  conv: Any
  norm: Any

  @nn.compact
  def __call__(self, x):
    y = nn.relu(self.norm()(self.conv(self.features, (1, 1))(x)))
    strides = (self.stride, self.stride)
    y = nn.relu(self.norm()(self.conv(self.features, (3, 3), strides)(y)))
    y = self.conv(4 * self.features, (1, 1))(y)
    y = self.norm(scale_init=nn.initializers.zeros_init())(y)
    if x.shape != y.shape:
      x = self.norm()(self.conv(4 * self.features, (1, 1), strides)(x))
    return nn.relu(x + y)


class ResNet50(nn.Module):
  """ResNet-50 with the stride on the 3x3 convolution."""

  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, train: bool):
    conv = functools.partial(nn.Conv, use_bias=False, dtype=self.dtype)
    norm = functools.partial(
      nn.BatchNorm,
      use_running_average=not train,
      momentum=0.9,
      epsilon=1e-5,
      dtype=self.dtype,
    )
    x = conv(64, (7, 7), (2, 2), padding=[(3, 3), (3, 3)])(x)
    x = nn.relu(norm()(x))
    x = nn.max_pool(x, (3, 3), strides=(2, 2), padding='SAME')
    for stage, depth in enumerate(DEPTHS):
      for block in range(depth):
        stride = 2 if stage and not block else 1
        x = Bottleneck(64 * 2**stage, stride, conv, norm)(x)
    x = x.mean((1, 2))
    return jnp.asarray(nn.Dense(1000, dtype=self.dtype)(x), jnp.float32)


@struct.dataclass
class State:
  """What the step changes."""

  step: Any
  params: Any
  batch_stats: Any
  opt_state: Any


class FlaxExample:
  """The example's training step over a mesh."""

  def __init__(self, mesh: jax.sharding.Mesh, *, batch_size: int, dtype: Any):
    self.mesh, self.batch_size, self.dtype = mesh, batch_size, dtype
    self.model = ResNet50(dtype)
    rate = optax.warmup_cosine_decay_schedule(0.0, 0.1, 5000, 100000)
    self.optimizer = optax.sgd(rate, momentum=0.9, nesterov=True)

  def initial_state(self) -> State:
    """Returns the state at step 0."""
    images = jnp.zeros((1, 64, 64, 3), self.dtype)
    variables = self.model.init(jax.random.key(0), images, train=False)
    return State(
      step=jnp.zeros((), jnp.int32),
      params=variables['params'],
      batch_stats=variables['batch_stats'],
      opt_state=self.optimizer.init(variables['params']),
    )

  def batch_shapes(self, resolution: int) -> dict:
    """Returns the shapes of a batch: images come normalised, in the dtype."""
    rows = meshes.batch_sharded(self.mesh)
    shape = (self.batch_size, resolution, resolution, 3)
    return {
      'image': jax.ShapeDtypeStruct(shape, self.dtype, sharding=rows),
      'label': jax.ShapeDtypeStruct(shape[:1], jnp.int32, sharding=rows),
    }

  def lower(self, resolution: int):
    """Returns the lowered training step."""
    everywhere = meshes.replicated(self.mesh)
    shapes = jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=everywhere),
      jax.eval_shape(self.initial_state),
    )
    step = jax.jit(self._step, donate_argnums=0, out_shardings=everywhere)
    return step.lower(shapes, self.batch_shapes(resolution))

  def _step(self, state: State, batch: dict):
    def objective(params):
      logits, updates = self.model.apply(
        {'params': params, 'batch_stats': state.batch_stats},
        batch['image'],
        train=True,
        mutable=['batch_stats'],
      )
      loss = optax.softmax_cross_entropy(
        logits, jax.nn.one_hot(batch['label'], 1000)
      ).mean()
      squares = sum(
        jnp.sum(x**2) for x in jax.tree.leaves(params) if x.ndim > 1
      )
      return loss + 1e-4 * 0.5 * squares, (logits, updates)

    (loss, (logits, updates)), gradients = jax.value_and_grad(
      objective, has_aux=True
    )(state.params)
    deltas, opt_state = self.optimizer.update(
      gradients, state.opt_state, state.params
    )
    accuracy = jnp.mean(jnp.argmax(logits, -1) == batch['label'])
    params = optax.apply_updates(state.params, deltas)
    stats = updates['batch_stats']
    state = State(state.step + 1, params, stats, opt_state)
    return state, {'loss': loss, 'accuracy': accuracy}
