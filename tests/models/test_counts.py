"""The modules themselves against the arithmetic, for every variant."""

import math

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn
from jax.extend import core

from resflax import scaling
from resflax.efficientnets import SCALES
from resflax.models import build_model, efficientnet, resnet
from resflax.published import PUBLISHED
from resflax.variants import VARIANTS

RESOLUTION = 64


@pytest.fixture(autouse=True, scope='module')
def trace_equal_blocks_once():
  # The nets are whole all the same; this halves the time of these tests.
  with pytest.MonkeyPatch.context() as patch:
    for module, name in (
      (resnet, 'ResidualBlock'),
      (efficientnet, 'InvertedBottleneck'),
    ):
      block = nn.jit(getattr(module, name), static_argnames='train')
      patch.setattr(module, name, block)
    yield


def macs(jaxpr) -> int:
  """Counts the multiply-accumulates of convolutions and matrix products."""
  total = 0
  for eqn in jaxpr.eqns:
    out = eqn.outvars[0].aval
    if eqn.primitive.name == 'conv_general_dilated':
      kernel = eqn.invars[1].aval
      out_axis = eqn.params['dimension_numbers'].rhs_spec[0]
      total += out.size * kernel.size // kernel.shape[out_axis]
    elif eqn.primitive.name == 'dot_general':
      (axes, _), _ = eqn.params['dimension_numbers']
      lhs = eqn.invars[0].aval
      total += out.size * math.prod(lhs.shape[axis] for axis in axes)
    for inner in core.jaxprs_in_params(eqn.params):
      total += macs(inner)
  return total


# Model Garden's forms differ by a pooling alone: one in the fast part will do.
@pytest.mark.parametrize(
  'name',
  [
    pytest.param(
      name,
      marks=pytest.mark.slow
      if name.endswith('_garden') and name != 'resnet_rs_50_garden'
      else (),
    )
    for name in (*VARIANTS, *SCALES)
  ],
)
def test_modules_count_as_the_arithmetic_and_the_papers(name):
  published = PUBLISHED[name]
  # Traced for no platform, others would be counted once for each.
  fields = {'variant': name, 'conv': 'xla'}
  model = build_model(fields, num_classes=published.num_classes)
  images = jax.ShapeDtypeStruct((1, RESOLUTION, RESOLUTION, 3), jnp.float32)
  jaxpr, (logits, variables) = jax.make_jaxpr(
    lambda key, x: model.init_with_output(key, x, train=False),
    return_shape=True,
  )(jax.random.key(0), images)

  costs = scaling.count(name, RESOLUTION, num_classes=published.num_classes)
  params = {
    part: sum(leaf.size for leaf in jax.tree.leaves(tree))
    for part, tree in variables['params'].items()
  }
  assert params == {cost.name: cost.params for cost in costs}
  assert sum(params.values()) == published.params
  assert macs(jaxpr) == scaling.totals(costs).macs
  assert logits.shape == (1, published.num_classes)
  assert logits.dtype == jnp.float32
