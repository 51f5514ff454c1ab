import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.variants import complete
from resflax.weights import load_weights
from resflax.weights.converting import to_theirs
from resflax.weights.detecting import detect
from resflax.weights.loading import load, read_weights
from resflax.weights.tensors import flatten
from tests.weights.conftest import random, tiny

EFFICIENTNET = {'variant': 'efficientnet_b0'}  # has no smaller one
PAIRS = (
  *(('timm', m) for m in ('resnet18', 'resnet50', 'resnet18_d', 'resnet50_c')),
  *(('timm', m) for m in ('se_resnet50', 'resnext50_32x4d', 'resnet_rs_50')),
  *(('torchvision', m) for m in ('resnet34', 'resnext50_32x4d')),
  *(('cifar', m) for m in ('resnet20_cifar', 'resnet56_cifar')),
  ('keras', 'resnet_rs_50'),
  ('garden', 'resnet_rs_50_garden'),
  ('timm', EFFICIENTNET),
)


def assert_equal(variables, flat):
  got = flatten(variables)
  assert got.keys() == flat.keys()
  for path, array in flat.items():
    np.testing.assert_array_equal(got[path], array, path)
    assert got[path].dtype == np.float32


@pytest.mark.parametrize(('source', 'model'), PAIRS)
def test_there_and_back_is_bit_equal(state_dict, source, model):
  fields = model if model == EFFICIENTNET else tiny(model)
  flat, theirs = state_dict(fields, source)
  assert len(theirs) == len(flat)
  assert_equal(load_weights(fields, theirs, source), flat)
  again = to_theirs(flat, complete(fields), source)
  for name, array in theirs.items():
    np.testing.assert_array_equal(again[name], array, name)


@pytest.mark.parametrize(
  ('source', 'model', 'found'),
  [
    ('timm', 'resnet50_d', 'timm'),
    ('torchvision', 'resnet50', 'timm'),
    ('cifar', 'resnet20_cifar', 'cifar'),
    ('keras', 'resnet_rs_50', 'keras'),
    ('garden', 'resnet_rs_50_garden', 'garden'),
  ],
)
def test_the_source_is_told_by_its_names(state_dict, source, model, found):
  _, theirs = state_dict(tiny(model), source)
  fields = complete(tiny(model))
  assert detect(theirs, fields, 'it') == found
  with pytest.raises(UsageError, match='it holds .* such as a: name one'):
    detect({'a': np.zeros(1)}, fields, 'it')


@pytest.mark.parametrize(
  ('source', 'model', 'missing'),
  [
    ('timm', 'resnet18', 'layer1.0.conv1.weight'),
    ('torchvision', 'resnet50', 'layer1.0.conv1.weight'),
    ('timm', EFFICIENTNET, 'blocks.0.0.conv_dw.weight'),
    ('keras', 'resnet50_v1', 'conv1_conv/kernel'),
    ('keras', 'resnet_rs_50', 'BlockGroup2__block_0__conv_1/kernel'),
    ('garden', 'resnet_rs_50_garden', 'backbone/layer_with_weights-0/kernel'),
    ('resflax', 'resnet20_cifar', 'params/head/kernel'),
  ],
)
def test_a_missing_tensor_is_named_if_it_is_the_tell_tale(
  state_dict, source, model, missing
):
  fields = model if model == EFFICIENTNET else tiny(model)
  _, theirs = state_dict(fields, source)
  del theirs[missing]
  with pytest.raises(UsageError, match=f'1 missing: {missing}[.;]'):
    load_weights(fields, theirs)
  with pytest.raises(UsageError, match='of no known source'):
    load_weights(fields, {f'x/{name}': a for name, a in theirs.items()})


@pytest.mark.parametrize(
  ('model', 'source', 'alike'),
  [
    ('resnet18', 'auto', ('torchvision',)),
    ('resnext50_32x4d', 'auto', ('torchvision',)),
    ('resnet18', 'timm', ()),  # somebody says so
    ('resnet50_d', 'auto', ()),  # torchvision has none
    ('se_resnet50', 'auto', ()),
  ],
)
def test_sources_of_equal_names_are_not_told_apart(
  state_dict, model, source, alike
):
  _, theirs = state_dict(tiny(model), 'timm')
  weights = read_weights(tiny(model), theirs, source)
  assert (weights.source, weights.alike) == ('timm', alike)
  assert weights.metadata.mean is None
  del theirs['bn1.bias']
  whose = ' or '.join(('timm', *alike))
  with pytest.raises(UsageError, match=f'as {whose} weights of {model}'):
    load_weights(tiny(model), theirs, source)


def test_torchvisions_mean_is_known_where_it_is_named(state_dict):
  _, theirs = state_dict(tiny('resnet18'), 'torchvision')
  weights = read_weights(tiny('resnet18'), theirs, 'torchvision')
  assert weights.metadata.mean == (0.485, 0.456, 0.406)
  assert weights.alike == ()


def test_prefixes_and_counters_of_torch_are_ignored(state_dict):
  fields = tiny('resnet20_cifar')
  flat, theirs = state_dict(fields, 'cifar')
  wrapped = {f'module.{name}': array for name, array in theirs.items()}
  wrapped['module.bn1.num_batches_tracked'] = np.array(7)
  assert_equal(load_weights(fields, wrapped), flat)


def test_projections_of_cifar_nets(state_dict):
  fields = tiny('resnet20_cifar', shortcut='projection')
  flat, theirs = state_dict(fields, 'cifar')
  assert 'layer2.0.shortcut.1.running_var' in theirs
  assert_equal(load_weights(fields, theirs), flat)


def test_every_tensor_that_does_not_fit_is_named(state_dict):
  fields = tiny('resnet18')
  _, theirs = state_dict(fields, 'timm')
  del theirs['bn1.running_mean'], theirs['fc.bias']
  theirs['aux.weight'] = np.zeros(1)
  theirs['layer2.0.conv1.weight'] = np.zeros((4, 3, 2, 1))
  with pytest.raises(UsageError) as error:
    load_weights(fields, theirs)
  (line,) = str(error.value).splitlines()
  assert '2 missing: bn1.running_mean, fc.bias;' in line
  assert '1 not known: aux.weight;' in line
  assert (
    'of another shape: layer2.0.conv1.weight (4, 3, 2, 1) for (16, 8, 3, 3)'
  ) in line
  assert 'reset_head' in line


def test_ten_names_are_listed(state_dict):
  _, theirs = state_dict(tiny('resnet18'), 'timm')
  with pytest.raises(UsageError, match=r'30 missing: .*, \.\.\.') as error:
    load_weights(tiny('resnet18', depths=(1, 1, 1, 4)), theirs)
  assert str(error.value).count('layer4.') == 10


@pytest.mark.parametrize(
  ('model', 'source', 'field'),
  [
    ('resnet50_v1', 'timm', 'branch=bottleneck,'),
    ('resnet50', 'keras', 'branch=bottleneck_b,'),
    ('resnet_rs_50', 'garden', 'activation=relu, padding=symmetric'),
    ('resnet_rs_50_garden', 'timm', 'activation=swish, padding=same'),
    ('resnet50_d', 'torchvision', 'stem=deep, shortcut=avg_pool'),
    ('se_resnet50', 'torchvision', 'se_ratio=0.0625'),
    ('resnet18', 'cifar', 'stem=conv7x7'),
    ({'variant': 'resnet18', 'norm': {'epsilon': 1e-3}}, 'timm', 'epsilon'),
    (EFFICIENTNET | {'padding': 'symmetric'}, 'timm', 'padding=symmetric, and'),
    (EFFICIENTNET | {'norm': {'epsilon': 1e-5}}, 'timm', 'epsilon=1e-05, and'),
    (EFFICIENTNET, 'keras', 'activation=swish'),
  ],
)
def test_models_that_compute_something_else_are_refused(model, source, field):
  with pytest.raises(UsageError, match=field):
    load_weights(model, {}, source)


def test_a_head_of_other_classes(state_dict):
  fields = tiny('resnet18')
  flat, theirs = state_dict(fields, 'timm')
  with pytest.raises(UsageError, match='has 5 classes, and not 3: .*reset_he'):
    load_weights(fields, theirs, num_classes=3)
  head = {'params/head/kernel': (64, 3), 'params/head/bias': (3,)}
  zeros = {path: np.zeros(shape, np.float32) for path, shape in head.items()}
  reset = load_weights(fields, theirs, num_classes=3, reset_head=True)
  assert_equal(reset, flat | zeros)
  del theirs['fc.weight'], theirs['fc.bias']
  headless = load_weights(fields, theirs, num_classes=3, reset_head=True)
  assert_equal(headless, flat | zeros)


def test_the_background_class_is_left_out(state_dict):
  fields = tiny('resnet_rs_50_garden')
  flat, theirs = state_dict(fields, 'garden')
  got = flatten(load_weights(fields, theirs, drop_background=True))
  for path in ('params/head/kernel', 'params/head/bias'):
    np.testing.assert_array_equal(got[path], flat[path][..., 1:])


def test_other_channels_and_precisions(state_dict):
  fields = tiny('resnet18')
  flat, theirs = state_dict(fields, 'timm', channels=1)
  half = {name: array.astype(np.float16) for name, array in theirs.items()}
  got = flatten(load_weights(fields, half))
  kernel = 'params/stem/conv1/conv/kernel'
  assert got[kernel].shape == (7, 7, 1, 8) and got[kernel].dtype == np.float32
  np.testing.assert_allclose(got[kernel], flat[kernel], rtol=1e-3)


def test_quirks_of_keras_are_folded():
  """The arithmetic of a convolution's bias, a norm's epsilon, and BGR."""
  fields = tiny('resnet50_v1')
  flat = random(fields)
  theirs = to_theirs(flat, complete(fields), 'keras')
  bias = np.arange(8, dtype=np.float32)
  theirs['conv1_conv/bias'] = bias
  got = flatten(load_weights(fields, theirs, 'keras'))
  norm = 'batch_stats/stem/conv1/norm'
  np.testing.assert_array_equal(
    got[f'{norm}/mean'], flat[f'{norm}/mean'] - bias
  )
  np.testing.assert_allclose(
    got[f'{norm}/var'] - np.float64(flat[f'{norm}/var']), 1e-8, atol=6e-8
  )
  kernel = 'params/stem/conv1/conv/kernel'
  np.testing.assert_array_equal(got[kernel], flat[kernel][:, :, ::-1])


def test_names_of_keras_do_not_depend_on_models_made_before(state_dict):
  fields = tiny('resnet_rs_50')
  flat, theirs = state_dict(fields, 'keras')
  renamed = {n.replace('stem_1_', 'stem_12_', 1): a for n, a in theirs.items()}
  assert renamed.keys() != theirs.keys()
  assert_equal(load_weights(fields, renamed), flat)


def test_averages_in_checkpoints_of_model_garden(state_dict):
  fields = tiny('resnet_rs_50_garden')
  flat, theirs = state_dict(fields, 'garden')
  value, slot = '/.ATTRIBUTES/VARIABLE_VALUE', '/.OPTIMIZER_SLOT/optimizer'
  saved = {'optimizer/iter' + value: np.array(3)}
  for name, array in theirs.items():
    inside = name.replace('backbone/', 'model/layer_with_weights-0/')
    saved[inside + value] = array + 1
    saved[inside + slot + '/momentum' + value] = array + 2
    saved[inside + slot + '/average' + value] = array
  assert_equal(load_weights(fields, saved), flat)


def test_means_of_keras_are_those_of_pictures_in_0_to_255(state_dict):
  fields = tiny('resnet50_v1')
  _, theirs = state_dict(fields, 'keras')
  _, metadata = load(fields, theirs, 'keras')
  pixel = np.array([10.0, 100.0, 200.0])
  ours = (pixel / 255 - metadata.mean) / metadata.std
  np.testing.assert_allclose(ours, pixel - [123.68, 116.779, 103.939])
  _, theirs = state_dict(tiny('resnet18'), 'timm')
  assert load(tiny('resnet18'), theirs)[1].mean is None
