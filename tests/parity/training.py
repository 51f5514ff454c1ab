"""A short training run, drawn so that anybody can do it again.

ResNet-D of a quarter's width with one block a stage; everything that the
published recipes have: warm-up and cosine, Nesterov momentum, coupled decay of
kernels, label smoothing, and a moving average.

Swish and a strided convolution for the max pooling, since both runs have to be
smooth: where a ReLU or a maximum flips by rounding, a gradient jumps, and two
runs of the same program that start 1e-7 apart part as far as 1e-2.
"""

import functools
import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from resflax.models import build_model
from resflax.training.losses import cross_entropy
from resflax.training.mixing import Targets
from resflax.training.optimizers import make_optimizer
from resflax.training.schedules import learning_rate
from resflax.training.state import create_state
from resflax.training.steps import make_train_step
from resflax.variants import complete
from resflax.weights.converting import from_theirs
from resflax.weights.tensors import nest
from tests.parity import drawing

DATA = pathlib.Path(__file__).parent / 'data' / 'training.json'
MODEL = {
  'variant': 'resnet26_d',
  'depths': (1, 1, 1, 1),
  'width': 0.25,
  'stem': 'deep_strided',
  'activation': 'swish',
}
STEPS, WARMUP, BATCH, SIZE, CLASSES = 200, 20, 16, 64, 10
PEAK, MOMENTUM, DECAY, SMOOTHING, AVERAGE = 0.02, 0.9, 1e-3, 0.1, 0.9


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns images [batch, height, width, channels] and labels to learn."""
  patterns = np.random.default_rng(7).standard_normal(
    (CLASSES, 4, 4, 3), np.float32
  )
  generator = np.random.default_rng(1000 + step)
  labels = generator.integers(0, CLASSES, BATCH)
  noise = generator.standard_normal((BATCH, SIZE, SIZE, 3), np.float32)
  clean = patterns[labels].repeat(SIZE // 4, 1).repeat(SIZE // 4, 2)
  return clean + np.float32(0.5) * noise, labels.astype(np.int32)


def weights() -> dict[str, np.ndarray]:
  """Returns what training starts from, by timm's names: as timm starts.

  A start without zero scales is so steep that two runs in torch part as well.
  """
  drawn = drawing.tensors('timm', MODEL)
  for name, array in drawn.items():
    if array.ndim == 1:
      ones = name.endswith(('.weight', 'running_var'))
      drawn[name] = np.full_like(
        array, ones and not name.endswith('bn3.weight')
      )
  return drawn


def losses() -> dict:
  """Returns our loss at every step, and at the end that of the average."""
  model = build_model(MODEL, num_classes=CLASSES)
  flat = from_theirs(weights(), complete(MODEL), 'timm', what='drawn weights')
  variables = jax.tree.map(jnp.asarray, nest(flat))
  state, step = _start(model, variables)
  found = []
  for number in range(STEPS):
    images, labels = batch(number)
    state, metrics = step(state, {'image': images, 'label': labels})
    found.append(float(metrics['loss']))
  images, labels = batch(STEPS)
  # In training mode: torch's running variance is the unbiased one.
  logits, _ = model.apply(
    state.ema, jnp.asarray(images), train=True, mutable=['batch_stats']
  )
  average = cross_entropy(logits, jnp.asarray(labels), SMOOTHING).mean()
  return {'losses': found, 'average': float(average)}


def _start(model, variables) -> tuple[object, Callable]:
  def forward(variables, images, *, train, rngs):
    return model.apply(
      variables, images, train=train, rngs=rngs, mutable=['batch_stats']
    )

  optimizer = make_optimizer(
    'sgd', momentum=MOMENTUM, nesterov=True, weight_decay=DECAY
  )
  step = make_train_step(
    forward,
    lambda key, images, labels: (images, Targets(labels)),
    functools.partial(cross_entropy, label_smoothing=SMOOTHING),
    optimizer,
    learning_rate('cosine', peak=PEAK, total_steps=STEPS, warmup_steps=WARMUP),
    seed=0,
    ema_decay=AVERAGE,
    ema_dynamic=False,
  )
  return create_state(variables, optimizer, ema=True), jax.jit(step)
