"""onnxruntime, and not our interpreter, says what a graph computes."""

import collections
import json

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import pytest
from jax import lax

from resflax.errors import UsageError
from resflax.export.files import export
from resflax.export.graph import to_onnx
from resflax.variants import complete


def session(model):
  onnx.checker.check_model(model, full_check=True)
  return onnxruntime.InferenceSession(
    model.SerializeToString(), providers=['CPUExecutionProvider']
  )


def compare(function, image=(6, 5, 3), variables=None):
  """Runs a function both ways at three batches and returns the model."""
  model = to_onnx(function, variables or {}, image, {})
  run = session(model).run
  for batch in (1, 2, 5):
    pixels = np.random.default_rng(batch).integers(
      0, 256, (batch, *image), np.uint8
    )
    expected = function(variables or {}, jnp.asarray(pixels))
    [found] = run(None, {'images': pixels})
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
  return model


def flat(x):
  return x.astype(jnp.float32).mean((1, 2))


def window(x, kind, padding, strides=(2, 2)):
  initial, function = {
    'max': (-jnp.inf, lax.max),
    'sum': (0.0, lax.add),
  }[kind]
  return lax.reduce_window(
    x.astype(jnp.float32),
    initial,
    function,
    (1, 3, 2, 1),
    (1, *strides, 1),
    ((0, 0), *padding, (0, 0)),
  )


def convolved(x, kernel, **options):
  return lax.conv_general_dilated(
    x.astype(jnp.float32),
    kernel,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    **{'window_strides': (1, 1), 'padding': 'SAME', **options},
  )


KERNEL = np.random.default_rng(0).standard_normal((3, 3, 3, 6), np.float32)

FUNCTIONS = {
  'max': lambda v, x: flat(window(x, 'max', ((1, 0), (0, 1)))),
  'sum': lambda v, x: flat(window(x, 'sum', ((0, 1), (1, 0)))),
  'strided': lambda v, x: flat(x[:, 1::2, :4:3, 1:]),
  'padded': lambda v, x: flat(jnp.pad(x, ((0, 0), (0, 2), (1, 0), (3, 1)))),
  'strides': lambda v, x: flat(
    convolved(x, KERNEL, window_strides=(2, 1), padding=((0, 1), (2, 1)))
  ),
  'dilated': lambda v, x: flat(convolved(x, KERNEL, rhs_dilation=(1, 2))),
  'grouped': lambda v, x: flat(
    convolved(x, KERNEL[:, :, :1], feature_group_count=3)
  ),
  'turned': lambda v, x: flat(x)[:, None, :] @ np.eye(3) + 1,
  'gated': lambda v, x: flat(
    convolved(x, KERNEL[..., :3]) * jax.nn.sigmoid(flat(x))[:, None, None]
  ),
  'one pixel': lambda v, x: flat(convolved(x[:, :1, :1], KERNEL)),
}


@pytest.mark.parametrize('name', FUNCTIONS)
def test_operations(name):
  function = FUNCTIONS[name]
  if name == 'turned':
    compare(lambda v, x: function(v, x)[:, 0])
  else:
    compare(function)


def test_constants_are_computed_and_names_are_ours(classifier):
  made = classifier()
  model = to_onnx(made.logits, made.variables, made.image, {'a': '"b"'})
  ops = collections.Counter(node.op_type for node in model.graph.node)
  # A multiply-add for each norm, and nothing turned but the input.
  assert ops['Conv'] == ops['Mul'] == 7 and ops['Transpose'] == 1
  assert not set(ops) & {'Sqrt', 'Reshape', 'Shape', 'Expand'}
  assert any(
    'stage2/block1/branch/conv1' in node.name for node in model.graph.node
  )
  [prop] = model.metadata_props
  assert (prop.key, prop.value) == ('a', '"b"')


@pytest.mark.parametrize(
  ('function', 'name'),
  [
    (lambda v, x: jnp.sin(flat(x)), 'sin'),
    (lambda v, x: flat(x).reshape(-1, 3).T.reshape(-1, 1), 'transpose'),
    (lambda v, x: flat(x).reshape(-1), 'reshape'),
    (lambda v, x: flat(x)[:, :, None] + jnp.zeros((1, 3, 4)), 'add'),
    (lambda v, x: lax.pad(flat(x), 0.0, ((0, 0, 0), (0, 0, 1))), 'pad'),
    (lambda v, x: flat(convolved(x, KERNEL, padding=((-1, 0),) * 2)), 'conv'),
  ],
)
def test_what_is_not_translated_is_named(function, name):
  with pytest.raises(UsageError, match=f'uses {name}.* export stablehlo'):
    to_onnx(function, {}, (6, 5, 3), {})


FAMILIES = [
  *('resnet18', 'resnet50_v1', 'resnet50', 'resnet50_c', 'resnet50_d'),
  *('se_resnet50', 'resnext50_32x4d', 'resnet_rs_50', 'resnet_rs_50_garden'),
  *('resnet20_cifar', 'resnext29_16x64d_cifar', 'plain18'),
]


@pytest.mark.slow
@pytest.mark.parametrize(
  ('variant', 'side'),
  [
    *((variant, 45) for variant in FAMILIES),
    # Whose padding differs where sides are even.
    *(('resnet_rs_50', 32), ('resnet_rs_50_garden', 32)),
  ],
)
def test_every_family(variant, side, classifier, tmp_path):
  made = classifier(variant, resolution=side)
  path = tmp_path / 'net.onnx'
  assert 0 < export(str(path), made, 'onnx') < 1e-5
  model = onnx.load(path)
  [images], [logits] = model.graph.input, model.graph.output
  shapes = [
    [d.dim_param or d.dim_value for d in tensor.type.tensor_type.shape.dim]
    for tensor in (images, logits)
  ]
  assert shapes == [['batch', side, side, 3], ['batch', 5]]
  properties = {p.key: json.loads(p.value) for p in model.metadata_props}
  assert properties['input']['dtype'] == 'uint8'
  assert complete(properties['model'])['stem'] == complete(variant)['stem']
  onnx.checker.check_model(model, full_check=True)
