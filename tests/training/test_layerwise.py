"""Rates by layer, and layers that do not move."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resflax.errors import UsageError
from resflax.models import build_model
from resflax.models.layers import GroupBatchNorm
from resflax.training.layerwise import (
  Factors,
  at_rest,
  path_of,
  resting,
  scaled,
)

PATHS = 'stem/conv1/conv/kernel', 'stage1/x', 'head/bias'
FIELDS = {'variant': 'resnet18', 'depths': (1, 1, 1, 1), 'width': 0.125}


def paths(tree):
  return [path_of(k) for k, _ in jax.tree_util.tree_leaves_with_path(tree)]


def test_first_rule_that_matches_whole_components_counts():
  factors = Factors(['stage1/block1=0.5', 'stem|stage[12]=0', 'head=10'])
  assert factors.of('stage1/block1/branch/conv1/conv/kernel') == 0.5
  assert factors.of('stage1/block10/branch/conv1/conv/kernel') == 0.0
  assert factors.of('stem/conv1/norm/scale') == 0.0
  assert factors.of('stage3/block1/shortcut/conv/kernel') == 1.0
  assert factors.of('head/bias') == 10.0
  assert not Factors([]) and Factors(['head=1'])


@pytest.mark.parametrize(
  ('rules', 'words'),
  [
    (['stage1'], 'not of the form PATH=FACTOR'),
    (['=0'], 'not of the form'),
    (['stage1=-1'], 'not of the form'),
    (['stage1=nan'], 'not of the form'),
    (['stage(=0'], 'not of the form'),
    (['stage9=0'], 'stage9=0 is followed by no parameter.*stem, stage1, head'),
    (['stage.*=0', 'stage1=1'], 'stage1=1 is followed by no parameter'),
    (['.*=0'], 'nothing to train'),
  ],
)
def test_a_rule_that_does_nothing_is_refused(rules, words):
  with pytest.raises(UsageError, match=words):
    Factors(rules).check(PATHS, drawn=False)


def test_what_is_drawn_does_not_rest():
  rules = Factors(['head=1', '.*=0e0'])
  rules.check(PATHS, drawn=False)
  message = r'\.\*=0e0 would leave layers at their random beginning'
  with pytest.raises(UsageError, match=message):
    rules.check(PATHS, drawn=True)


def test_updates_are_scaled_and_layers_at_rest_are_bit_equal():
  factors = Factors(['stem=0', 'stage1=0.25'])
  params = {
    name: {'kernel': jnp.full((2,), 3.0)} for name in ('stem', 'stage1', 'head')
  }
  rule = scaled(optax.chain(optax.add_decayed_weights(0.1)), factors)
  updates, _ = rule.update(params, rule.init(params), params)
  np.testing.assert_allclose(updates['head']['kernel'], 3.3, rtol=1e-6)
  np.testing.assert_allclose(updates['stage1']['kernel'], 3.3 / 4, rtol=1e-6)
  moved = optax.apply_updates(params, updates)
  assert jnp.array_equal(moved['stem']['kernel'], params['stem']['kernel'])


@pytest.fixture(scope='module')
def net():
  model = build_model(FIELDS, num_classes=3)
  images = jax.random.normal(jax.random.key(1), (4, 32, 32, 3))
  return model, model.init(jax.random.key(0), images, train=False), images


def test_gradients_end_where_all_below_is_at_rest(net):
  model, variables, images = net
  factors = Factors(['stem|stage[123]=0'])

  def loss(params):
    params = at_rest(factors, params)
    inputs = {**variables, 'params': params}
    with resting(factors, GroupBatchNorm):
      logits, updates = model.apply(
        inputs, images, train=True, mutable=['batch_stats']
      )
    return (logits**2).sum(), updates

  # Away from zero, where a new residual branch starts.
  params = jax.tree.map(lambda p: p + 0.1, variables['params'])
  gradients, updates = jax.grad(loss, has_aux=True)(params)
  for path, gradient in zip(
    paths(gradients), jax.tree.leaves(gradients), strict=True
  ):
    assert bool(jnp.any(gradient)) == path.startswith(('stage4', 'head')), path
  before, after = variables['batch_stats'], updates['batch_stats']
  for path, old, new in zip(
    paths(before), jax.tree.leaves(before), jax.tree.leaves(after), strict=True
  ):
    assert bool(jnp.any(old != new)) == path.startswith('stage4'), path
