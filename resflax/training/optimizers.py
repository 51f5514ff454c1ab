"""Update rules: from gradients to what is added to the parameters.

The learning rate comes in as an argument of `update`, since it follows the
state's step, the run's only clock; optax's own schedule would count a second
one.
"""

from collections.abc import Callable

import jax
import optax

from resflax.errors import unknown

Rule = optax.GradientTransformationExtraArgs


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


def scale_by_rate() -> Rule:
  """Returns a part of a rule that multiplies by minus the learning rate."""

  def update(updates, state, params=None, *, learning_rate, **_):
    del params
    return jax.tree.map(lambda u: -learning_rate * u, updates), state

  return optax.GradientTransformationExtraArgs(optax.init_empty_state, update)


def sgd(
  *,
  momentum: float,
  nesterov: bool,
  weight_decay: float,
  decoupled: bool = False,
  decay_mask: str = 'kernels',
) -> Rule:
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
  steps = [
    optax.add_decayed_weights(weight_decay, mask=DECAY_MASKS[decay_mask]),
    optax.trace(decay=momentum, nesterov=nesterov),
  ]
  return optax.chain(
    *(reversed(steps) if decoupled else steps), scale_by_rate()
  )


def lars(
  *,
  momentum: float,
  nesterov: bool,
  weight_decay: float,
  decay_mask: str = 'kernels',
  trust_coefficient: float = 0.001,
  is_stacked: Callable = lambda path: False,
) -> Rule:
  """Returns LARS: SGD whose kernels each have a rate by their norm.

  Source: You et al. 2017, algorithm 1; as `optax.lars`, the decay is in the
  gradient whose norm divides (the paper divides by the sum of both norms).

  Args:
    momentum: part of the velocity that is kept; it holds earlier rates.
    nesterov: look ahead.
    weight_decay: of each masked parameter.
    decay_mask: one of DECAY_MASKS.
    trust_coefficient: a kernel's step over its norm, at a rate of 1.
    is_stacked: see `scale_by_trust_ratio`.
  """
  return optax.chain(
    optax.add_decayed_weights(weight_decay, mask=DECAY_MASKS[decay_mask]),
    optax.masked(
      scale_by_trust_ratio(is_stacked, trust_coefficient), kernels_only
    ),
    scale_by_rate(),
    optax.trace(decay=momentum, nesterov=nesterov),
  )


def lamb(
  *,
  momentum: float,
  weight_decay: float,
  decay_mask: str = 'kernels',
  beta2: float = 0.999,
  epsilon: float = 1e-6,
  is_stacked: Callable = lambda path: False,
) -> Rule:
  """Returns LAMB: Adam whose parameters each have a rate by their norm.

  Source: You et al. 2020, algorithm 2, as `optax.lamb`.

  Args:
    momentum: Adam's beta1.
    weight_decay: of each masked parameter.
    decay_mask: one of DECAY_MASKS.
    beta2: of the squared gradients' average.
    epsilon: added to its root.
    is_stacked: see `scale_by_trust_ratio`.
  """
  return optax.chain(
    optax.scale_by_adam(b1=momentum, b2=beta2, eps=epsilon),
    optax.add_decayed_weights(weight_decay, mask=DECAY_MASKS[decay_mask]),
    scale_by_trust_ratio(is_stacked),
    scale_by_rate(),
  )


def scale_by_trust_ratio(
  is_stacked: Callable, coefficient: float = 1.0
) -> optax.GradientTransformation:
  """Returns optax's trust ratio, of each block alone where blocks are stacked.

  Args:
    is_stacked: whether a parameter of such a path holds one a block, along its
      first axis.
    coefficient: multiplies the ratio.
  """
  ratio = optax.scale_by_trust_ratio(trust_coefficient=coefficient)

  def scaled(update, param):
    return ratio.update(update, optax.EmptyState(), param)[0]

  def update(updates, state, params):
    def leaf(path, u, p):
      return (jax.vmap(scaled) if is_stacked(path) else scaled)(u, p)

    return jax.tree_util.tree_map_with_path(leaf, updates, params), state

  return optax.GradientTransformation(optax.init_empty_state, update)


OPTIMIZERS = {'sgd': sgd, 'lars': lars, 'lamb': lamb}

# Those that look at the norm of a whole parameter take `is_stacked`.
WHOLE_LEAVES = ('lars', 'lamb')

# Config fields of each; others are refused where they are set.
_ALL = ('momentum', 'weight_decay', 'decay_mask', 'clip_norm')
USED_BY = {
  'sgd': (*_ALL, 'nesterov', 'decoupled'),
  'lars': (*_ALL, 'nesterov', 'trust_coefficient'),
  'lamb': (*_ALL, 'beta2', 'epsilon'),
}


def make_optimizer(name: str, *, clip_norm: float = 0.0, **options) -> Rule:
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
