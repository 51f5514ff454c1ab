"""`train` as a function: one's own model, data, loss and hooks."""

import json

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from ml_collections import ConfigDict

from resflax.data.sources import ArrayDataset
from resflax.errors import DataError, NotFiniteError
from resflax.runs import load_run
from resflax.training.trainer import train


class Linear(nn.Module):
  """A model that knows nothing of resflax."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    return nn.Dense(2)(images.reshape(len(images), -1))


@pytest.fixture
def bright_or_dark():
  labels = np.arange(64) % 2
  images = np.full((64, 8, 8, 1), 40, np.uint8)
  images[labels == 1] = 200
  return ArrayDataset({'train': (images, labels), 'test': (images, labels)})


CONFIG = {
  'batch_size': 16,
  'log_every_steps': 5,
  'schedule': {'total_steps': 20, 'warmup_steps': 2},
  'resolution': {'train': 8},
  'augment': {'crop': 'none', 'flip': False},
  'optimizer': {'lr': 0.1, 'lr_reference_batch': 0},
  'ema': {'decay': 0.0},
  'writers': (),
}


class WithBadFiles:
  """A data set some of whose training images are not images."""

  def __init__(self, source, bad):
    self.source, self.bad, self.info = source, bad, source.info

  def split(self, spec):
    records = self.source.split(spec)
    return BadFiles(records, self.bad if spec.startswith('train') else ())


class BadFiles:
  def __init__(self, records, bad):
    self.records, self.bad = records, bad

  def __len__(self):
    return len(self.records)

  def __getitem__(self, index):
    if index in self.bad:
      return {'image': b'<html>', 'label': 0}
    return self.records[index]


SPLITS = {'train_split': 'train', 'val_split': 'test', 'test_split': 'test'}


def test_bad_examples_are_replaced_and_counted(bright_or_dark, tmp_path):
  rows = []
  result = train(
    {**CONFIG, 'data': {**SPLITS, 'bad_budget': 0.05}},
    tmp_path,
    model=Linear(),
    source=WithBadFiles(bright_or_dark, (5, 40)),
    hooks=[lambda step, state, row: rows.append(row)],
  )
  assert result.evaluation.top1 == 1.0
  counts = [row['bad_examples'] for row in rows if 'bad_examples' in row]
  assert counts[-1] == 2 and counts == sorted(counts)
  stored = json.loads((tmp_path / 'bad_examples.json').read_text())
  assert sorted(index for index, *_ in stored['examples']) == [5, 40]


def test_too_many_bad_examples_end_the_run(bright_or_dark, tmp_path):
  with pytest.raises(DataError, match='allows 1 ') as error:
    train(
      {**CONFIG, 'data': {**SPLITS, 'bad_budget': 0.02}},
      tmp_path,
      model=Linear(),
      source=WithBadFiles(bright_or_dark, (5, 40)),
    )
  assert error.value.exit_code == 4
  assert json.loads((tmp_path / 'status.json').read_text())['exit_code'] == 4
  stored = json.loads((tmp_path / 'bad_examples.json').read_text())
  assert len(stored['examples']) == 2


def hinge(logits, labels):
  return optax.hinge_loss(logits[:, 1] - logits[:, 0], 2 * labels - 1)


def test_own_model_loss_hook_and_data(bright_or_dark, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  rows = []
  result = train(
    ConfigDict(CONFIG),
    'run',
    model=Linear(),
    source=bright_or_dark,
    loss=hinge,
    hooks=[lambda step, state, row: rows.append((step, row))],
  )
  assert result.evaluation.top1 == 1.0
  assert result.report.exists()
  losses = [row['train/loss'] for _, row in rows if 'train/loss' in row]
  assert len(losses) == 4 and losses[-1] < losses[0]
  assert [step for step, row in rows if 'test/top1' in row] == [20]
  kernel = result.state.params['Dense_0']['kernel']
  assert kernel.shape == (64, 2)
  again = load_run('run', model=Linear())
  np.testing.assert_array_equal(
    again.variables['params']['Dense_0']['kernel'], kernel
  )


def test_without_a_folder_nothing_is_left(
  bright_or_dark, tmp_path, monkeypatch
):
  monkeypatch.chdir(tmp_path)
  result = train(CONFIG, model=Linear(), source=bright_or_dark)
  assert result.report is None and len(result.digest) == 64
  assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_ends_the_run(bright_or_dark, tmp_path):
  with pytest.raises(NotFiniteError, match='step'):
    train(
      CONFIG,
      tmp_path,
      model=Linear(),
      source=bright_or_dark,
      loss=lambda logits, labels: jnp.log(-jnp.square(logits[:, 0])),
    )
  assert '"state": "failed"' in (tmp_path / 'status.json').read_text()
