"""Weights of a file evaluate and predict as the net that wrote them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.data.sources import ArrayDataset
from resflax.errors import UsageError
from resflax.models import build_model
from resflax.pretrained import load_pretrained
from resflax.variants import changes
from resflax.weights import Metadata, save_weights
from resflax.weights.tensors import nest
from tests.weights.conftest import random

FIELDS = {'variant': 'resnet20_cifar', 'depths': (1, 1, 1), 'width': 0.25}
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.2, 0.1)
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), np.uint8)


@pytest.fixture
def saved(tmp_path):
  def save(**metadata):
    metadata = {'mean': MEAN, 'std': STD, **metadata}
    fields = changes(FIELDS, 'resnet20_cifar')
    path = tmp_path / 'small.safetensors'
    save_weights(
      path,
      nest(random(FIELDS)),
      Metadata('resnet20_cifar', fields=fields, **metadata),
    )
    return path

  return save


def dataset(classes=5):
  return ArrayDataset({'test': (IMAGES, np.arange(10) % classes)})


def test_preprocessing_is_that_of_the_file(saved):
  run = load_pretrained(
    saved(
      resolution=12,
      test_resolution=16,
      crop=1.0,
      class_names=('a', 'b', 'c', 'd', 'e'),
    )
  )
  assert run.preprocessing == run.preprocessing.__class__(16, 1.0, MEAN, STD, 3)
  assert run.class_names == ('a', 'b', 'c', 'd', 'e') and run.step == 0
  found = run.probabilities(dataset().split('test'))
  logits = build_model(FIELDS, num_classes=5).apply(
    nest(random(FIELDS)),
    jnp.asarray((IMAGES / 255 - MEAN) / STD, jnp.float32),
    train=False,
  )
  expected = np.asarray(jax.nn.softmax(logits))
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
  evaluation = run.evaluate(dataset(), 'test')
  hits = expected.argmax(1) == np.arange(10) % 5
  assert evaluation.count == 10 and evaluation.top1 == pytest.approx(
    hits.mean()
  )


def test_what_the_file_does_not_say(saved):
  path = saved()
  with pytest.raises(UsageError, match='does not say at which resolution'):
    load_pretrained(path)
  run = load_pretrained(path, resolution=16)
  assert run.preprocessing.resolution == 16 and run.preprocessing.crop == 0.875
  assert run.class_names[4] == 'class 4'
  with pytest.raises(UsageError, match='without a data set.*--dataset'):
    run.setup.dataset.split('test')
  with pytest.raises(UsageError, match='not of resnet32_cifar'):
    load_pretrained(path, model='resnet32_cifar', resolution=16)


def test_other_classes_are_refused(saved):
  with pytest.raises(UsageError, match='5 classes.*array has 3 and 3'):
    load_pretrained(saved(resolution=16), dataset=dataset(classes=3))
