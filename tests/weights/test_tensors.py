import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.efficientnets import SCALES
from resflax.models import build_model
from resflax.variants import VARIANTS, complete
from resflax.weights.tensors import flatten, nest, shapes
from tests.weights.conftest import tiny

# One a family; all of their depths have the same blocks.
MODELS = (
  *('resnet18', 'resnet50', 'resnet50_v1', 'resnet50_c', 'resnet50_d'),
  *('se_resnet50', 'resnext50_32x4d', 'resnet_rs_50', 'resnet_rs_50_garden'),
  *('resnet20_cifar', 'resnext29_16x64d_cifar', 'plain18'),
)


@pytest.mark.parametrize(
  'fields', [*map(tiny, MODELS), {'variant': 'efficientnet_b0'}]
)
def test_shapes_are_those_of_the_model(fields):
  model = build_model(fields, num_classes=7)
  variables = jax.eval_shape(
    lambda key: model.init(key, jnp.zeros((1, 32, 32, 2)), train=False),
    jax.random.key(0),
  )
  made = {
    '/'.join(key.key for key in path): leaf.shape
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables)
  }
  assert shapes(complete(fields), num_classes=7, channels=2) == made


@pytest.mark.parametrize('name', [*VARIANTS, *SCALES])
def test_parameters_are_as_many_as_published(name):
  from resflax.published import PUBLISHED

  wanted = shapes(
    complete(name), num_classes=PUBLISHED[name].num_classes, channels=3
  )
  params = [s for path, s in wanted.items() if path.startswith('params/')]
  assert sum(map(int, map(np.prod, params))) == PUBLISHED[name].params


def test_flatten_and_nest_are_inverse():
  tree = {'params': {'a': {'kernel': np.ones(2)}, 'b': np.zeros(1)}}
  flat = flatten(tree)
  assert set(flat) == {'params/a/kernel', 'params/b'}
  assert jax.tree.all(jax.tree.map(np.array_equal, nest(flat), tree))
