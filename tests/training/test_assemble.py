"""What is refused of a config once the data set is known."""

import numpy as np
import pytest

from resflax.data.sources import ArrayDataset
from resflax.errors import UsageError
from resflax.training.assemble import _check_optimizer, assemble

IMAGES = np.zeros((100, 8, 8, 1), np.uint8)
LABELS = np.arange(100) % 10


def config(**splits):
  return {
    'batch_size': 8,
    'schedule': {'total_steps': 2},
    'model': {'variant': 'resnet20_cifar'},
    'resolution': {'train': 8},
    'data': {f'{name}_split': value for name, value in splits.items()},
  }


@pytest.fixture
def source():
  return ArrayDataset({'train': (IMAGES, LABELS), 'test': (IMAGES, LABELS)})


@pytest.mark.parametrize(
  'splits, other',
  [({'train': 'train'}, 'val_split'), ({'val': 'train[:10]'}, 'train_split')],
)
def test_one_split_must_not_touch_the_other_default(source, splits, other):
  with pytest.raises(UsageError, match=f'set config.data.{other} as well'):
    assemble(config(**splits), source=source)


def test_one_split_beside_the_other_default(source):
  setup = assemble(config(train='train[:50]'), source=source)
  assert setup.num_examples == 50
  assert setup.resolved['data.val_split'] == 'train[98%:]'


def test_channels_and_mean_must_agree(source):
  grey = assemble(config(), source=source)
  assert len(grey.resolved['data.mean']) == 1
  wrong = config() | {'data': {'mean': (0.5, 0.5), 'std': (0.2, 0.2)}}
  with pytest.raises(UsageError, match='2 numbers for images of 1 channels'):
    assemble(wrong, source=source)


@pytest.mark.parametrize(
  'fields, message',
  [
    (
      {'optimizer': {'name': 'lars', 'decoupled': True}},
      'config.optimizer.decoupled=True does nothing for .*name=lars',
    ),
    (
      {'optimizer': {'beta2': 0.9}},
      'config.optimizer.beta2=0.9 does nothing for .*name=sgd',
    ),
    (
      {
        'optimizer': {'accumulate': 2},
        'model': {'variant': 'resnet20_cifar', 'norm': {'group_size': 8}},
      },
      r'4 images at a time, which config.model.norm.group_size=8 has to divide',
    ),
    (
      {'augment': {'lighting': 0.1}},
      r'config.augment.lighting=0.1 is for colours',
    ),
  ],
)
def test_what_contradicts_the_update_rule_or_the_images(
  source, fields, message
):
  with pytest.raises(UsageError, match=message):
    assemble(config() | fields, source=source)


def test_parts_that_devices_cannot_share_are_refused(source):
  parts = {'optimizer': {'accumulate': 2}}
  resolved = assemble(config() | parts, source=source).resolved
  with pytest.raises(
    UsageError, match=r'accumulate=2 gives each of 3 devices 1.33333 images'
  ):
    _check_optimizer(resolved, 3)


def test_accumulated_parts_are_groups_of_batch_norm(source):
  parts = {'optimizer': {'accumulate': 2}}
  setup = assemble(config() | parts, source=source)
  assert setup.resolved['model.norm.group_size'] == 4
  assert (
    'a part of the batch' in setup.resolved.reasons['model.norm.group_size']
  )
