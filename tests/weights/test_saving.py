import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from resflax.errors import DataError, StorageError, UsageError
from resflax.models.layout import stack
from resflax.variants import changes, complete
from resflax.weights import Metadata, load_weights, save_weights
from resflax.weights.converting import to_theirs
from resflax.weights.loading import load
from resflax.weights.saving import export
from resflax.weights.tensors import nest
from tests.weights.conftest import random
from tests.weights.test_converting import assert_equal

METADATA = Metadata(
  model='resnet20_cifar',
  resolution=32,
  test_resolution=40,
  crop=0.875,
  interpolation='bilinear',
  mean=(0.5, 0.4, 0.3),
  std=(0.25, 0.25, 0.25),
)


@pytest.fixture
def flat():
  return random('resnet20_cifar')


@pytest.mark.parametrize('stacked', [False, True])
def test_our_own_file(stacked, flat, tmp_path):
  path = tmp_path / 'x.safetensors'
  variables = nest(flat)
  save_weights(path, stack(variables) if stacked else variables, METADATA)
  again, metadata = load(None, path)
  assert_equal(again, flat)
  assert metadata == METADATA
  assert [p.name for p in tmp_path.iterdir()] == ['x.safetensors']
  assert_equal(load_weights('resnet20_cifar', path), flat)
  with pytest.raises(
    UsageError, match='of resnet20_cifar, and not of resnet32'
  ):
    load_weights('resnet32_cifar', path)


def test_what_is_not_known_stays_so(flat, tmp_path):
  save_weights(
    tmp_path / 'x.safetensors', nest(flat), Metadata('resnet20_cifar')
  )
  _, metadata = load(None, tmp_path / 'x.safetensors')
  assert metadata == Metadata('resnet20_cifar')


def test_other_precisions_are_kept_in_float32(flat, tmp_path):
  half = {path: a.astype(jnp.bfloat16) for path, a in flat.items()}
  save_weights(tmp_path / 'x.safetensors', nest(half), METADATA)
  expected = {path: np.asarray(a, np.float32) for path, a in half.items()}
  assert_equal(
    load_weights('resnet20_cifar', tmp_path / 'x.safetensors'), expected
  )


def test_a_file_of_another_program(flat, tmp_path):
  path = str(tmp_path / 'x.safetensors')
  save_file(flat, path, {'resflax': '{"modle": "resnet20_cifar"}'})
  with pytest.raises(DataError, match='does not say what resflax writes'):
    load(None, path)
  save_file(flat, path)
  with pytest.raises(UsageError, match='does not name its model'):
    load(None, path)


def test_a_folder_that_cannot_be_written(flat, tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(StorageError, match='Cannot write .*x.safetensors'):
    save_weights(tmp_path / 'file' / 'x.safetensors', nest(flat), METADATA)


def test_export_is_as_the_library_names_it(tmp_path):
  flat = random('resnet18')
  path = tmp_path / 'x.safetensors'
  export(path, nest(flat), 'resnet18', 'torchvision')
  expected = to_theirs(flat, complete('resnet18'), 'torchvision')
  written = load_file(path)
  assert written.keys() == expected.keys()
  for name, array in expected.items():
    np.testing.assert_array_equal(written[name], array)
  assert written['layer2.0.downsample.0.weight'].shape == (128, 64, 1, 1)


def test_export_refuses_models_the_library_has_not(flat, tmp_path):
  with pytest.raises(UsageError, match='stem=small_image'):
    export(tmp_path / 'x.safetensors', nest(flat), 'resnet20_cifar', 'timm')
  assert not list(tmp_path.iterdir())


def test_a_net_that_departs_from_its_variant(tmp_path):
  fields = {'variant': 'resnet18', 'width': 0.25, 'depths': (1, 2, 1, 1)}
  metadata = Metadata('resnet18', fields=changes(fields, 'resnet18'))
  save_weights(tmp_path / 'ours.safetensors', nest(random(fields)), metadata)
  variables, again = load(None, tmp_path / 'ours.safetensors')
  assert again == metadata and again.fields['depths'] == (1, 2, 1, 1)
  assert_equal(variables, random(fields))
  theirs = tmp_path / 'theirs.safetensors'
  with pytest.raises(UsageError) as error:
    export(theirs, variables, again.all_fields, 'timm')
  assert str(error.value) == (
    'This resnet18 has depths=(1, 2, 1, 1) for (2, 2, 2, 2), width=0.25 for '
    '1.0, so timm cannot load it as its resnet18: write it as resflax weights.'
  )
  assert not theirs.exists()


def test_export_of_other_classes_and_channels(tmp_path):
  grey = nest(random('resnet18', num_classes=7, channels=1))
  path = tmp_path / 'x.safetensors'
  with pytest.raises(UsageError, match='channels=1 for 3, so torchvision'):
    export(path, grey, 'resnet18', 'torchvision')
  assert not path.exists()
  export(path, grey, 'resnet18', 'timm')
  assert load_file(path)['conv1.weight'].shape == (64, 1, 7, 7)
  coloured = nest(random('resnet18', num_classes=7))
  export(path, coloured, 'resnet18', 'torchvision')
  assert load_file(path)['fc.weight'].shape == (7, 512)
