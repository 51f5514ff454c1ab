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


def sgd(
  *, momentum: float, nesterov: bool, weight_decay: float
) -> optax.GradientTransformation:
  """Returns SGD with heavy-ball momentum and coupled L2.

  Coupled: the decay joins the gradient before the momentum, as if
  weight_decay / 2 * ||kernel||^2 were added to the loss. This is what the
  ResNet papers, torch's SGD and TF's L2 mean by weight decay; AdamW's is not.
  """
  return optax.chain(
    optax.add_decayed_weights(weight_decay, mask=kernels_only),
    optax.trace(decay=momentum, nesterov=nesterov),
  )


OPTIMIZERS = {'sgd': sgd}


def make_optimizer(name: str, **options) -> optax.GradientTransformation:
  """Returns the update rule of that name.

  Raises:
    UsageError: there is no such rule.
  """
  if name not in OPTIMIZERS:
    raise unknown('optimizer', name, OPTIMIZERS, 'config.optimizer.name')
  return OPTIMIZERS[name](**options)
