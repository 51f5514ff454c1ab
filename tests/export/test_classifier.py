import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.data.sources import ArrayDataset
from resflax.export.classifier import of_run
from resflax.models.layout import stack, unstack
from resflax.pretrained import load_pretrained
from resflax.runs import load_run
from tests.export.nets import write

IMAGES = np.random.default_rng(1).integers(0, 256, (4, 20, 20, 3), np.uint8)


def test_pixels_are_normalised_inside(classifier):
  made = classifier(class_names=tuple('abcde'), crop=0.9)
  mean, std = np.float32([0.5, 0.4, 0.3]), np.float32([0.2, 0.2, 0.1])
  normalised = jnp.asarray((IMAGES / np.float32(255) - mean) / std)
  expected = made.model.apply(made.variables, normalised, train=False)
  np.testing.assert_allclose(made(IMAGES), expected, rtol=1e-4, atol=1e-4)
  assert made.image == (20, 20, 3) and made.num_classes == 5
  assert made.description['class_names'] == tuple('abcde')
  assert made.description['crop'] == 0.9


def test_weights_of_others_claim_no_training_resolution(classifier):
  says = classifier(resolution=24).metadata
  assert (says.resolution, says.test_resolution) == (None, 24)
  assert says.all_fields['depths'] == (1, 1, 1)


def test_another_resolution(tmp_path):
  run = load_pretrained(write(tmp_path)).with_preprocessing(resolution=32)
  assert of_run(run).image == (32, 32, 3)


def test_blocks_in_a_loop_are_written_out(tmp_path):
  run = load_pretrained(write(tmp_path, changed={'depths': (4, 1, 1)}))
  looped = dataclasses.replace(run, variables=stack(unstack(run.variables)))
  assert 'blocks' in looped.variables['params']['stage1']
  made = of_run(looped)
  assert 'block4' in made.variables['params']['stage1']
  np.testing.assert_array_equal(made(IMAGES), of_run(run)(IMAGES))


@pytest.mark.slow
def test_a_run_is_what_it_evaluates_as(tiny_run):
  run = load_run(tiny_run.workdir)
  made = of_run(run)
  pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)
  found = jax.nn.softmax(made(pixels))
  records = ArrayDataset({'test': (pixels, [0, 1, 2])}).split('test')
  np.testing.assert_allclose(run.probabilities(records), found, rtol=1e-4)
  assert made.step == 4 and made.metadata.resolution == 32
  assert made.metadata.class_names == tuple('0123456789')
  assert made.metadata.mean == run.preprocessing.mean
