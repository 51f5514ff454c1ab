"""The step of a whole config: what parts of it and a teacher add to it."""

import dataclasses
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.data.order import example_ids
from resflax.data.sources import ArrayDataset
from resflax.errors import UsageError
from resflax.training import setup as of_setup
from resflax.training.assemble import assemble
from resflax.training.losses import cross_entropy
from resflax.training.setup import Setup
from resflax.training.teacher import taught
from resflax.training.trainer import train

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (64, 16, 16, 3), np.uint8)
LABELS = np.arange(64) % 4
SOURCE = ArrayDataset({'train': (IMAGES, LABELS), 'test': (IMAGES, LABELS)})
CONFIG = {
  'batch_size': 16,
  'model': {
    'variant': 'resnet20_cifar',
    'depths': (1, 1, 1),
    'width': 0.25,
    'norm': {'group_size': 4},
  },
  'schedule': {'total_steps': 2},
  'resolution': {'train': 16},
  'augment': {'crop': 'none', 'flip': False},
  'ema': {'decay': 0.0},
}


def one_step(setup: Setup):
  """Returns the state after the first step, and its metrics."""
  batch = {
    'image': jnp.asarray(IMAGES[:16]),
    'label': jnp.asarray(LABELS[:16], jnp.int32),
  }
  program = setup.lower_train(16).compile()
  return program(setup.initial_state(), batch, *setup.beside_batch)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['sgd', 'lamb'])
def test_accumulated_gradients_are_those_of_the_big_batch(name):
  for_parts = {'name': name, 'accumulate': 4}
  whole = one_step(
    assemble(CONFIG | {'optimizer': {'name': name}}, source=SOURCE)
  )
  parts = one_step(assemble(CONFIG | {'optimizer': for_parts}, source=SOURCE))
  for one, other in zip(
    jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True
  ):
    np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5)


@pytest.mark.slow
def test_a_teachers_classes_are_learned_beside_the_labels(tmp_path):
  train(CONFIG | {'writers': ()}, tmp_path, source=SOURCE)
  alone = assemble(CONFIG, source=SOURCE)
  distill = {'teacher': str(tmp_path), 'temperature': 2.0, 'weight': 0.5}
  setup = taught(assemble(CONFIG | {'distill': distill}, source=SOURCE))
  (_, plain), (state, metrics) = one_step(alone), one_step(setup)

  first = alone.initial_state()
  images = setup.normalise(jnp.asarray(IMAGES[:16]))
  logits, _ = alone.forward(first.variables, images, train=True, rngs={})
  of_teacher = setup.teacher.model.apply(
    setup.teacher.variables, images, train=False
  )
  soft = np.asarray(jax.nn.softmax(of_teacher / 2.0))
  log_p = np.asarray(jax.nn.log_softmax(logits / 2.0))
  added = 0.5 * 2.0**2 * -(soft * log_p).sum(-1).mean()
  labels = cross_entropy(logits, jnp.asarray(LABELS[:16])).mean()
  assert float(plain['loss']) == pytest.approx(float(labels), rel=1e-4)
  assert float(metrics['loss']) == pytest.approx(
    float(labels) + added, rel=1e-4
  )
  assert int(state.step) == 1


@pytest.mark.slow
def test_a_teacher_has_to_know_the_classes_and_the_colours(tmp_path):
  train(CONFIG | {'writers': ()}, tmp_path, source=SOURCE)
  setup = assemble(
    CONFIG | {'distill': {'teacher': str(tmp_path)}}, source=SOURCE
  )
  info = dataclasses.replace(SOURCE.info, class_names=('a', 'b'))
  other = dataclasses.replace(setup, dataset=_Described(info))
  with pytest.raises(UsageError, match='trained on other classes'):
    taught(other)
  setup.resolved.values['data.mean'] = (0.5, 0.5, 0.5)
  with pytest.raises(
    UsageError, match=r'config.data.mean=\(0.5, 0.5, 0.5\), and'
  ):
    taught(setup)
  setup.resolved.values['distill.teacher'] = str(tmp_path / 'nowhere')
  with pytest.raises(UsageError, match='is not a run folder'):
    taught(setup)


@dataclasses.dataclass(frozen=True)
class _Described:
  info: object

  def split(self, spec):
    raise AssertionError(spec)


def test_a_stages_strength_is_a_part_of_dropout_and_of_mixing():
  fields = {'augment': CONFIG['augment'] | {'mixup': 0.4, 'cutmix': 0.8}}
  dropped = CONFIG['model'] | {'dropout_rate': 0.5}
  setup = assemble(CONFIG | fields | {'model': dropped}, source=SOURCE)
  variables = setup.initial_state().variables
  images = jnp.zeros((2, 16, 16, 3))
  rates = []

  def apply(self, *args, **kwargs):
    rates.append(self.dropout_rate)
    return jnp.zeros((2, 4)), {}

  with mock.patch.object(type(setup.model), 'apply', apply):
    for strength in (1.0, 0.5):
      setup.forward(variables, images, train=True, rngs={}, strength=strength)
  assert rates == [0.5, 0.25]
  half = setup._distort(0.5)
  assert (half.mixup, half.cutmix) == (0.2, 0.4)


def test_a_step_of_several_batches_has_their_images_and_their_decay():
  setup = assemble(CONFIG | {'ema': {'decay': 0.9}}, source=SOURCE)
  made = mock.Mock(side_effect=InterruptedError)
  with (
    mock.patch.object(of_setup, 'make_train_step', made),
    pytest.raises(InterruptedError),
  ):
    setup.lower_train(16, 1.0, 3)
  assert made.call_args.kwargs['ema_decay'] == pytest.approx(0.9**3)
  shapes = setup.batch_shapes(16, 3)
  assert shapes['image'].shape == (48, 16, 16, 3)
  assert shapes['label'].shape == (48,)


def test_the_examples_of_an_update_follow_on_each_other_in_every_stage():
  stages = {'schedule': 'linear', 'start': 8, 'stages': 2, 'batch': 'pixels'}
  setup = assemble(
    CONFIG
    | {
      'resolution': {'train': 16, **stages},
      'schedule': {'total_steps': 8},
    },
    source=SOURCE,
  )
  seen = [setup.inputs.example_ids(step) for step in range(1, 4)]
  assert [len(ids) for ids in seen] == [64, 16, 16]
  whole = example_ids(0, setup.num_examples, range(96))
  assert [i for ids in seen for i in ids] == [i for _, i in whole]
