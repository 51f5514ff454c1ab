"""Whole networks: names, shapes, precision, and what must not change them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resflax.models import build_model
from resflax.models.branches import BRANCHES
from resflax.models.layers import SqueezeExcite
from resflax.models.resnet import ResidualBlock
from resflax.models.shortcuts import SHORTCUTS
from resflax.slots import BlockShape

TINY = {'depths': (1, 2, 1, 1), 'width': 0.125}


def tiny(variant, **fields):
  return build_model({'variant': variant, **TINY, **fields}, num_classes=5)


def traced(model, shape=(2, 32, 32, 3), method=None):
  """Returns output and variables of a network without running it."""
  return jax.eval_shape(
    lambda key, x: model.init_with_output(key, x, train=False, method=method),
    jax.random.key(0),
    jax.ShapeDtypeStruct(shape, jnp.float32),
  )


def paths(tree):
  return {
    jax.tree_util.keystr(path, simple=True, separator='/')
    for path, _ in jax.tree_util.tree_leaves_with_path(tree)
  }


def randomised(variables, seed=0):
  """Fills every leaf, so that zero scales and equal statistics hide nothing."""
  rng = np.random.default_rng(seed)
  return jax.tree.map(
    lambda leaf: (
      (0.5 + rng.random(leaf.shape)).astype(leaf.dtype)
      * (1 if leaf.ndim < 2 else rng.choice([-0.1, 0.1], leaf.shape))
    ),
    variables,
  )


def test_names_are_explicit_and_count_from_one():
  _, variables = traced(tiny('resnet_rs_50'))
  names = paths(variables['params'])
  assert {
    'stem/conv1/conv/kernel',
    'stem/conv4/norm/bias',
    'stage2/block1/branch/conv2/norm/scale',
    'stage2/block1/shortcut/conv/kernel',
    'stage2/block1/shortcut/norm/scale',
    'stage2/block2/se/reduce/kernel',
    'stage2/block2/se/expand/bias',
    'head/kernel',
    'head/bias',
  } <= names
  assert {name.split('/')[0] for name in names} == {
    'stem',
    'stage1',
    'stage2',
    'stage3',
    'stage4',
    'head',
  }
  assert not any('stage2/block2/shortcut' in name for name in names)
  assert 'stage2/block1/branch/conv2/norm/mean' in paths(
    variables['batch_stats']
  )


@pytest.mark.parametrize(('size', 'channels'), [(8, 1), (9, 3), (33, 4)])
def test_any_size_from_8_pixels_and_any_channels(size, channels):
  for variant in ('resnet18', 'resnet_rs_50', 'resnet_rs_50_garden'):
    logits, _ = traced(tiny(variant), (2, size, size + 3, channels))
    assert (logits.shape, logits.dtype) == ((2, 5), jnp.float32)


def test_endpoints():
  endpoints, _ = traced(tiny('resnet50'), method='features')
  assert {name: x.shape for name, x in endpoints.items()} == {
    'stem': (2, 8, 8, 8),
    'stage1': (2, 8, 8, 32),
    'stage2': (2, 4, 4, 64),
    'stage3': (2, 2, 2, 128),
    'stage4': (2, 1, 1, 256),
    'pooled': (2, 256),
  }


def test_bfloat16_leaves_parameters_statistics_and_logits_alone():
  model = build_model('resnet_rs_50', dtype='bfloat16', **TINY)
  logits, variables = traced(model)
  assert logits.dtype == jnp.float32
  assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {
    jnp.dtype('float32')
  }
  endpoints, _ = traced(model, method='features')
  assert endpoints.pop('pooled').dtype == jnp.float32
  assert {x.dtype for x in endpoints.values()} == {jnp.dtype('bfloat16')}


@pytest.mark.parametrize(
  ('output_stride', 'sides'),
  [(None, (16, 8, 4, 2)), (16, (16, 8, 4, 4)), (8, (16, 8, 8, 8))],
)
def test_output_stride(output_stride, sides):
  model = build_model('resnet50_d', output_stride=output_stride, **TINY)
  endpoints, _ = traced(model, (1, 64, 64, 3), 'features')
  assert tuple(endpoints[f'stage{i}'].shape[1] for i in range(1, 5)) == sides


@pytest.mark.parametrize(
  ('variant', 'size'),
  [('resnet18', 70), ('resnet50_v1', 64), ('resnet50_d', 64)],
)
def test_dilation_adds_pixels_and_changes_none(variant, size, key):
  # Every second or fourth pixel of the dilated net is one of the strided net.
  strided = build_model(variant, **TINY)
  dilated = build_model(variant, output_stride=8, **TINY)
  images = jax.random.normal(key, (1, size, size, 3))
  variables = randomised(traced(strided, images.shape)[1])
  few, many = (
    jax.jit(
      lambda v, x, model=model: model.apply(
        v, x, train=False, method='features'
      )
    )(variables, images)
    for model in (strided, dilated)
  )
  steps = {'stage2': 1, 'stage3': 2, 'stage4': 4}
  if variant == 'resnet50_d':
    steps.pop('stage4')  # its pooling window is not dilated, as in timm
  for name, step in steps.items():
    got = many[name][:, ::step, ::step]
    scale = np.abs(few[name]).max()
    np.testing.assert_allclose(got / scale, few[name] / scale, atol=1e-5)


@pytest.mark.parametrize('branch', BRANCHES)
@pytest.mark.parametrize('shortcut', [n for n in SHORTCUTS if n != 'none'])
def test_a_new_block_is_its_shortcut(branch, shortcut, key):
  shape = BlockShape(4, 8, 8, stride=2, natural_stride=2)
  block = ResidualBlock(
    branch=BRANCHES[branch](shape),
    shortcut=SHORTCUTS[shortcut](shape),
    se=SqueezeExcite(2),
    activation=nn.relu,
  )
  x = jax.random.normal(key, (2, 6, 6, 4))
  y, variables = block.init_with_output(key, x, train=False)
  alone = {
    kind: tree['shortcut']
    for kind, tree in variables.items()
    if 'shortcut' in tree
  }
  expected = SHORTCUTS[shortcut](shape).apply(alone, x, train=False)
  np.testing.assert_allclose(y, nn.relu(expected), atol=1e-6)


def test_a_plain_net_is_not_dead_at_the_start(key):
  # A zero scale with no shortcut would stop every signal.
  model = build_model(
    'plain34', depths=(1, 1), features=(8, 16), stem='small_image'
  )
  x = jax.random.normal(key, (2, 8, 8, 3))
  logits, variables = jax.jit(
    lambda key: model.init_with_output(key, x, train=False)
  )(key)
  scales = [
    leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables['params'])
    if 'scale' in str(path)
  ]
  assert all((scale == 1).all() for scale in scales)
  assert np.abs(logits).max() > 0


def test_cardinality_1_of_group_width_64_is_the_plain_net():
  plain = build_model('resnet50', num_classes=5)
  grouped = build_model(
    'resnet50', num_classes=5, cardinality=1, group_width=64
  )
  assert plain == grouped
  assert hash(plain) == hash(grouped)


def test_training_takes_randomness_and_moves_the_statistics(key):
  model = tiny(
    'resnet_rs_50',
    stochastic_depth_rate=0.5,
    dropout_rate=0.5,
    norm={'group_size': 2, 'momentum': 0.9},
  )
  x = jax.random.normal(key, (4, 16, 16, 3))
  variables = randomised(traced(model, x.shape)[1])

  @jax.jit
  def step(key):
    return model.apply(
      variables, x, train=True, rngs={'dropout': key}, mutable=['batch_stats']
    )

  (one, updates), (same, _) = step(key), step(key)
  other, _ = step(jax.random.key(1))
  np.testing.assert_array_equal(one, same)
  assert not np.allclose(one, other)
  for old, new in zip(
    jax.tree.leaves(variables['batch_stats']),
    jax.tree.leaves(updates['batch_stats']),
    strict=True,
  ):
    assert not np.allclose(old, new)


def test_dropout_zeroes_some_features_and_scales_the_rest(key):
  """Inverted dropout before the classifier, which here is the identity."""
  x, rate = jax.random.normal(key, (8, 16, 16, 3)), 0.25
  variables = randomised(traced(tiny('resnet50'), x.shape)[1])
  features = variables['params']['head']['kernel'].shape[0]
  identity = {'kernel': jnp.eye(features), 'bias': jnp.zeros(features)}
  params = {**variables['params'], 'head': identity}

  def pooled(dropout_rate):
    model = tiny(
      'resnet50', dropout_rate=dropout_rate, norm={'group_size': 0}
    ).clone(num_classes=features)
    out, _ = model.apply(
      {**variables, 'params': params},
      x,
      train=True,
      rngs={'dropout': key},
      mutable=['batch_stats'],
    )
    return np.asarray(out)

  whole, dropped = pooled(0.0), pooled(rate)
  kept = dropped != 0
  scaled = np.where(kept, whole / (1 - rate), 0)
  np.testing.assert_allclose(dropped, scaled, rtol=1e-5)
  some = whole > 0  # a zero is not told from one that was dropped
  assert some.mean() > 0.9
  sigma = (rate * (1 - rate) / some.sum()) ** 0.5
  assert abs(1 - kept[some].mean() - rate) < 3 * sigma


def test_initialises_on_one_image_whatever_the_group(key):
  model = tiny('resnet18', norm={'group_size': 64})
  shapes = jax.eval_shape(
    lambda key: model.init(key, jnp.ones((1, 8, 8, 1)), train=False), key
  )
  assert set(shapes) == {'params', 'batch_stats'}
