"""Learning rates that differ from layer to layer, and layers at rest."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import optax
from jaxtyping import PyTree

from resflax.errors import UsageError
from resflax.training.state import path_of


class Factors:
  """What the learning rate of each parameter is multiplied by.

  A factor of 0 puts a layer at rest: it gets no gradient, and its batch norm
  normalises as in evaluation and keeps its statistics.
  """

  def __init__(self, rules: Sequence[str]):
    r"""Reads rules such as `stem|stage[12]=0` and `head=10`.

    Args:
      rules: each a regular expression for the whole path of a module or a
        parameter, and a factor; the first that matches counts, and what none
        matches has factor 1.

    Raises:
      UsageError: one is not of this form.
    """
    self._rules = [_parsed(text) for text in rules]

  def __bool__(self) -> bool:
    """Whether there is a rule."""
    return bool(self._rules)

  def of(self, path: str) -> float:
    """Returns the factor of a parameter or module."""
    rule = self._followed_by(path)
    return rule.factor if rule else 1.0

  def check(self, paths: Iterable[str], *, drawn: bool) -> None:
    """Refuses rules that no parameter follows, or none should.

    Args:
      paths: of all parameters.
      drawn: whether they start from random numbers, not from weights.

    Raises:
      UsageError: there is such a rule, one puts at rest what is drawn, or no
        parameter is left to train.
    """
    paths = list(paths)
    followed = {self._followed_by(path) for path in paths}
    for rule in self._rules:
      if rule not in followed:
        modules = dict.fromkeys(path.split('/')[0] for path in paths)
        raise UsageError(
          f'config.optimizer.lr_factors: {rule.text} is followed by no '
          f'parameter. Take a path from {", ".join(modules)}, such as '
          'stage1/block1, whole, and put special rules before general ones.'
        )
      if drawn and not rule.factor:
        raise UsageError(
          f'config.optimizer.lr_factors: {rule.text} would leave layers at '
          'their random beginning: set config.init.weights, or a factor above '
          '0.'
        )
    if not any(self.of(path) for path in paths):
      raise UsageError(
        'config.optimizer.lr_factors leave nothing to train: set one above 0.'
      )

  def _followed_by(self, path: str) -> '_Rule | None':
    matching = (rule for rule in self._rules if rule.pattern.fullmatch(path))
    return next(matching, None)


class _Rule(NamedTuple):
  text: str
  pattern: re.Pattern  # of whole paths
  factor: float


def _parsed(text: str) -> _Rule:
  path, _, factor = text.rpartition('=')
  try:
    # What lies in a module follows it.
    rule = _Rule(text, re.compile(f'(?:{path})(?:/.*)?'), float(factor))
    if path and 0 <= rule.factor < float('inf'):
      return rule
  except (re.error, ValueError):
    pass
  raise UsageError(
    f'config.optimizer.lr_factors: {text!r} is not of the form PATH=FACTOR, '
    'such as stage[12]=0 or head=10.'
  )


def at_rest(factors: Factors, params: PyTree) -> PyTree:
  """Returns parameters of which those at rest get no gradient.

  The backward pass then ends where everything below is at rest.
  """

  def leaf(keys, param):
    return param if factors.of(path_of(keys)) else jax.lax.stop_gradient(param)

  return jax.tree_util.tree_map_with_path(leaf, params)


def resting(factors: Factors, norm: type[nn.Module]):
  """Returns a context in which batch norm at rest computes as in evaluation.

  Args:
    factors: of the run.
    norm: the module, called with `train` by name.
  """

  def intercept(call, args, kwargs, context):
    module = context.module
    if isinstance(module, norm) and context.method_name == '__call__':
      train = kwargs['train'] and factors.of('/'.join(module.path)) > 0
      kwargs = {**kwargs, 'train': train}
    return call(*args, **kwargs)

  return nn.intercept_methods(intercept)


def scaled(rule: optax.GradientTransformationExtraArgs, factors: Factors):
  """Returns an update rule whose updates are multiplied by the factors."""

  def update(updates, state, params=None, **_):
    del params

    def leaf(keys, u):
      return factors.of(path_of(keys)) * u

    return jax.tree_util.tree_map_with_path(leaf, updates), state

  by_path = optax.GradientTransformation(optax.init_empty_state, update)
  return optax.chain(rule, by_path)
