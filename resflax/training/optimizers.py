"""Update rules without the learning rate, which the step multiplies in.

The rate follows the state's step, the run's only clock; optax's own schedule
would count a second one.
"""

import jax
import optax

from resflax.errors import unknown


def is_kernel(path: tuple, _=None) -> bool:
  """Whether a parameter's path ends in `kernel`."""
  return getattr(path[-1], 'key', None) == 'kernel'


def kernels_only(params):
  """Returns the mask of weight decay: kernels, no biases, no scales.

  Source: Goyal et al. 2017, section 5.3 (no decay on batch norm); biases are
  left out as in TF Model Garden, where the authors' TF1 code decays them.
  """
  return jax.tree_util.tree_map_with_path(is_kernel, params)


def all_but_norm(params):
  """Returns the mask of the RS authors' decay: all but batch norm's.

  Source: github.com/tensorflow/tpu, resnet_main.py: every trainable variable
    whose name lacks `batch_normalization`, so biases of squeeze-and-excitation
    and of the classifier as well.
  """
  return jax.tree_util.tree_map_with_path(
    lambda path, _: all(getattr(key, 'key', '') != 'norm' for key in path),
    params,
  )


DECAY_MASKS = {'kernels': kernels_only, 'all_but_norm': all_but_norm}


def sgd(
  *,
  momentum: float,
  nesterov: bool,
  weight_decay: float,
  decoupled: bool = False,
  decay_mask: str = 'kernels',
) -> optax.GradientTransformation:
  """Returns SGD with heavy-ball momentum and weight decay.

  Coupled, the decay joins the gradient before the momentum, as if
  weight_decay / 2 * ||kernel||^2 were added to the loss. This is what the
  ResNet papers, torch's SGD and TF's L2 mean by weight decay. Decoupled, it is
  subtracted beside the momentum, times the learning rate (Loshchilov and
  Hutter 2019, as torch's AdamW has it).

  Args:
    momentum: part of the velocity that is kept.
    nesterov: look ahead, as torch and optax do.
    weight_decay: of each masked parameter.
    decoupled: see above.
    decay_mask: one of DECAY_MASKS.
  """
  mask = DECAY_MASKS[decay_mask]
  steps = [
    optax.add_decayed_weights(weight_decay, mask=mask),
    optax.trace(decay=momentum, nesterov=nesterov),
  ]
  return optax.chain(*(reversed(steps) if decoupled else steps))


OPTIMIZERS = {'sgd': sgd}


def make_optimizer(
  name: str, *, clip_norm: float = 0.0, **options
) -> optax.GradientTransformation:
  """Returns the update rule of that name.

  Args:
    name: one of OPTIMIZERS.
    clip_norm: the longest gradient of all parameters together, which longer
      ones are scaled to (Pascanu et al. 2013), before decay; 0 = none.
    options: of the rule.

  Raises:
    UsageError: there is no such rule.
  """
  if name not in OPTIMIZERS:
    raise unknown('optimizer', name, OPTIMIZERS, 'config.optimizer.name')
  rule = OPTIMIZERS[name](**options)
  if clip_norm:
    return optax.chain(optax.clip_by_global_norm(clip_norm), rule)
  return rule
