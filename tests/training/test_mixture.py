"""A run on labelled and pseudo-labelled data, from its config to its digest."""

import numpy as np
import pytest
from flax import linen as nn

from resflax.data.memory import ArrayDataset
from resflax.errors import PreemptedError, UsageError
from resflax.training.assemble import assemble
from resflax.training.trainer import train
from tests.data.pseudo import write_pseudo
from tests.faults.running import Life, together
from tests.training.test_resume import stopping_at


class Linear(nn.Module):
  """Three classes."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    return nn.Dense(3)(images.reshape(len(images), -1))


@pytest.fixture
def labelled():
  images = np.random.default_rng(1).integers(0, 256, (12, 8, 8, 1), np.uint8)
  splits = {'train': (images, np.arange(12) % 3)}
  splits['test'] = splits['train']
  return ArrayDataset(splits, class_names=('a', 'b', 'c'))


@pytest.fixture
def config(tmp_path):
  write_pseudo(tmp_path, 'more', count=20)
  return {
    'batch_size': 8,
    'log_every_steps': 1,
    'schedule': {'total_epochs': 2.5, 'warmup_steps': 2},
    'resolution': {'train': 8},
    'augment': {'crop': 'pad', 'mixup': 0.2},
    'optimizer': {'lr': 0.01, 'lr_reference_batch': 0},
    'data': {
      'train_split': 'train@1[:75%]',
      'val_split': 'train@1[75%:]',
      'test_split': 'test',
      'mixture': {
        'sources': (f'pseudo:{tmp_path}/more',),
        'ratios': (1, 3),
      },
    },
    'writers': (),
  }


def changed(config, **mixture):
  data = {**config['data'], 'mixture': {**config['data']['mixture'], **mixture}}
  return {**config, 'data': data}


def setup(config, labelled, **options):
  return assemble(config, model=Linear(), source=labelled, **options)


def test_epochs_are_those_of_the_labels(config, labelled):
  """9 labelled images and three times as many others: 36 an epoch."""
  made = setup(config, labelled)
  assert made.resolved['schedule.total_steps'] == round(2.5 * 36 / 8)
  assert made.num_examples == 9 + 20
  assert made.inputs.epoch_examples == 36
  shapes = made.batch_shapes(8, soft=made.inputs.soft)
  assert shapes['soft_classes'].shape == shapes['soft_weights'].shape == (8, 2)
  published = setup(changed(config, ratios=None), labelled)
  assert published.resolved['data.mixture.ratios'] == (1, 3)
  assert 'Xie' in published.resolved.reasons['data.mixture.ratios']


def test_what_does_not_go_together_is_refused(config, labelled):
  for mixture, says in (
    ({'ratios': (1,)}, r'ratios=\(1,\) takes numbers'),
    ({'sources': ()}, r'ratios=\(1, 3\) has no config.data.mixture.sources'),
    ({'sources': ('pseudo:/none',)}, 'pseudo:/none is not there'),
    ({'targets': 'harder'}, "Did you mean 'hard'"),
  ):
    with pytest.raises(UsageError, match=says):
      setup(changed(config, **mixture), labelled)
  lanes = {**config, 'data': {**config['data'], 'shuffle': 'lanes'}}
  with pytest.raises(UsageError, match='batch_size=8 a multiple of 256 times'):
    setup(lanes, labelled)

  def own(logits, labels):
    return logits[:, 0] + labels

  with pytest.raises(UsageError, match='set config.data.mixture.targets=hard'):
    setup(config, labelled, loss=own)
  assert setup(changed(config, targets='hard'), labelled, loss=own)


@pytest.mark.slow
def test_a_run_that_is_stopped_ends_as_one_that_is_not(
  config, labelled, tmp_path
):
  rows = []

  def go(name, *hooks, **mixture):
    return train(
      changed(config, **mixture),
      name and tmp_path / name,
      model=Linear(),
      source=labelled,
      hooks=hooks,
    )

  whole = go('whole', lambda step, state, row: rows.append(row))
  with pytest.raises(PreemptedError):
    go('parts', stopping_at(5))
  assert go('parts').digest == whole.digest
  epochs = [row['epoch'] for row in rows if 'train/loss' in row]
  assert epochs == [8 * step / 36 for step in range(1, 12)]
  assert go(None, targets='hard').digest != whole.digest


@pytest.mark.slow
def test_a_run_is_pinned_to_what_is_mixed_in(config, labelled, tmp_path):
  def go(source):
    return train(
      changed(config, sources=(f'pseudo:{source}',)),
      tmp_path / 'run',
      model=Linear(),
      source=labelled,
      hooks=[stopping_at(3)],
    )

  with pytest.raises(PreemptedError):
    go(tmp_path / 'more')
  write_pseudo(tmp_path / 'other', 'more', count=21)
  with pytest.raises(UsageError, match='version='):
    go(tmp_path / 'other' / 'more')
  (tmp_path / 'moved').mkdir()
  (tmp_path / 'more').rename(tmp_path / 'moved' / 'more')
  assert go(tmp_path / 'moved' / 'more').digest


@pytest.mark.slow
def test_two_processes_see_the_mixture_of_one(tmp_path):
  """Bit for bit that of one process with two devices, soft targets too."""
  write_pseudo(tmp_path, 'more', count=40, classes=tuple('0123456789'), k=3)
  flags = (
    f"--config.data.mixture.sources=('pseudo:{tmp_path}/more',)",
    '--config.schedule.total_steps=12',
    '--config.eval_every_steps=12',
    '--config.checkpoint_every_steps=12',
  )
  cache = str(tmp_path / 'cache')
  with Life(tmp_path / 'one', *flags, cache=cache, devices=2) as one:
    assert one.wait() == 0, one.log
  with together(tmp_path / 'two', 2, *flags, cache=cache) as (main, other):
    assert main.wait() == other.wait() == 0, main.log + other.log
  assert one.digest == main.digest
