"""A run that starts from weights of a file."""

import jax
import numpy as np
import pytest

from resflax.data.sources import ArrayDataset
from resflax.errors import UsageError
from resflax.models.layout import unstack
from resflax.training.assemble import assemble
from resflax.variants import changes, complete
from resflax.weights import Metadata, save_weights
from resflax.weights.tensors import flatten, nest
from tests.weights.conftest import random

FIELDS = {'variant': 'resnet20_cifar', 'depths': (3, 3, 3), 'width': 0.25}
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.2, 0.1)


def dataset(classes=5, channels=3):
  images = np.zeros((100, 8, 8, channels), np.uint8)
  labels = np.arange(100) % classes
  return ArrayDataset({'train': (images, labels), 'test': (images, labels)})


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
  metadata = Metadata(
    'resnet20_cifar',
    resolution=12,
    test_resolution=16,
    mean=MEAN,
    std=STD,
    fields=changes(FIELDS, 'resnet20_cifar'),
  )
  save_weights(path, nest(random(FIELDS)), metadata)
  return str(path)


def config(weights, variant='resnet20_cifar', **fields):
  return {
    'batch_size': 8,
    'schedule': {'total_steps': 2},
    'model': {'variant': variant},
    'init': {'weights': weights},
    **fields,
  }


@pytest.mark.parametrize('scan', ['off', 'on'])
def test_weights_and_what_they_are_for(weights, scan):
  model = {'variant': 'resnet20_cifar', 'scan_blocks': scan}
  setup = assemble(config(weights, model=model), source=dataset())
  state = setup.initial_state()
  found = flatten(jax.tree.map(np.asarray, unstack(state).variables))
  for path, array in random(FIELDS).items():
    np.testing.assert_array_equal(found[path], array, err_msg=path)
  assert jax.tree.all(
    jax.tree.map(lambda a, b: bool((a == b).all()), state.ema, state.variables)
  )
  get = setup.resolved
  assert get['model.width'] == 0.25 and get['model.depths'] == (3, 3, 3)
  assert get['resolution.train'] == 16
  assert get['data.mean'] == MEAN and get['data.std'] == STD
  assert 'init.weights' in get.reasons['data.mean']


def test_what_is_set_wins(weights):
  setup = assemble(
    config(weights, resolution={'train': 8}, data={'mean': STD}),
    source=dataset(),
  )
  assert setup.resolved['resolution.train'] == 8
  assert setup.resolved['data.mean'] == STD


def test_a_new_classifier_is_zeros(weights):
  fields = config(weights)
  fields['init']['reset_head'] = True
  setup = assemble(fields, source=dataset(classes=7))
  head = setup.initial_state().params['head']
  assert head['kernel'].shape == (64 // 4, 7) and not np.any(head['kernel'])


@pytest.mark.parametrize(
  ('fields', 'data', 'words'),
  [
    ({}, {'classes': 7}, 'has 5 classes, and not 7.*reset_head'),
    ({}, {'channels': 1}, 'images of 3 channels, and those of array have 1'),
    ({'variant': 'resnet32_cifar'}, {}, 'of resnet20_cifar, and not of resn'),
    (
      {'model': {'variant': 'resnet20_cifar', 'width': 0.5}},
      {},
      'of another shape',
    ),
  ],
)
def test_other_weights_are_refused(weights, fields, data, words):
  with pytest.raises(UsageError, match=f'config.init.weights=.*{words}'):
    assemble(config(weights, **fields), source=dataset(**data))


def test_no_weights(tmp_path):
  with pytest.raises(UsageError, match='config.init.weights=.*is not there'):
    assemble(config(str(tmp_path / 'x.safetensors')), source=dataset())
  alone = {'init': {'reset_head': True}}
  with pytest.raises(UsageError, match='set config.init.weights'):
    assemble(config(None) | alone, source=dataset())


def test_changes_are_those_of_the_architecture():
  row = complete('resnet50')
  assert changes(row | {'dropout_rate': 0.5, 'conv': 'xla'}, 'resnet50') == {}
  assert changes(row | {'width': 0.5}, 'resnet50') == {'width': 0.5}
