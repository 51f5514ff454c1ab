"""Nets that have learnt nothing, and pictures of stripes, to probe."""

import numpy as np

from resflax.data.memory import ArrayDataset
from resflax.runs import Run
from resflax.training.assemble import assemble

TINY = {'variant': 'resnet20_cifar', 'depths': (1, 1, 1), 'width': 0.25}


def stripes(count, seed=0, classes=3):
  """Noise with a bright stripe, whose place is the class."""
  rng = np.random.default_rng(seed)
  labels = np.arange(count) % classes
  images = rng.integers(0, 100, (count, 16, 16, 3), np.uint8)
  for image, label in zip(images, labels, strict=True):
    image[4 * label : 4 * label + 4, :, label] += 150
  return images, labels


def dataset(train=30, test=11):
  """Of three classes: the net has two."""
  return ArrayDataset({'train': stripes(train), 'test': stripes(test, 1)})


def net(model=TINY, *, shapes=False):
  """Returns a run of random weights, or of their shapes, for two classes."""
  images, labels = stripes(8)
  config = {
    'model': model,
    'batch_size': 8,
    'schedule': {'total_steps': 1},
    'resolution': {'train': 16, 'test_crop': 1.0},
  }
  setup = assemble(config, source=ArrayDataset({'train': (images, labels % 2)}))
  state = setup.state_shapes if shapes else setup.initial_state()
  return Run(setup, state.eval_variables, 0)
