"""`train` as a function: one's own model, data, loss and hooks."""

import concurrent.futures
import json
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from ml_collections import ConfigDict

from resflax.data.sources import ArrayDataset
from resflax.errors import DataError, NotFiniteError, UsageError
from resflax.report.read import read_run
from resflax.runs import load_run
from resflax.training import session, trainer
from resflax.training.programs import Programs
from resflax.training.trainer import train


class Linear(nn.Module):
  """A model that knows nothing of resflax."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    return nn.Dense(2)(images.reshape(len(images), -1))


class Pooled(nn.Module):
  """A model for any resolution."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    return nn.Dense(2)(images.mean((1, 2)))


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
  """A data set some of whose images, in one split, are not images."""

  def __init__(self, source, bad, where='train'):
    self.source, self.bad, self.info = source, bad, source.info
    self.where = where

  def split(self, spec):
    records = self.source.split(spec)
    return BadFiles(records, self.bad if spec.startswith(self.where) else ())


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


def status(workdir):
  return json.loads((workdir / 'status.json').read_text())


def bad_of(workdir):
  stored = json.loads((workdir / 'bad_examples.json').read_text())
  return sorted(index for index, *_ in stored['examples'])


def test_too_many_bad_examples_end_the_run(bright_or_dark, tmp_path):
  """Once the files are replaced, the run goes on, and nothing was lost."""
  config = {**CONFIG, 'data': {**SPLITS, 'bad_budget': 0.02}}
  with pytest.raises(DataError, match='allows 1 ') as error:
    train(
      config,
      tmp_path,
      model=Linear(),
      source=WithBadFiles(bright_or_dark, (5, 40)),
    )
  assert error.value.exit_code == 4
  step = status(tmp_path)['step']
  saved = {int(path.name) for path in (tmp_path / 'checkpoints').iterdir()}
  assert saved == ({step} if step else set())
  assert status(tmp_path)['exit_code'] == 4
  assert bad_of(tmp_path) == [5, 40]
  train(
    config, tmp_path, model=Linear(), source=WithBadFiles(bright_or_dark, (40,))
  )
  assert bad_of(tmp_path) == [40]


def test_a_bad_example_in_validation_loses_no_step(bright_or_dark, tmp_path):
  config = {**CONFIG, 'data': SPLITS}

  def go(source):
    return train(
      {**config, 'eval_every_steps': 7, 'eval_every_epochs': None},
      tmp_path,
      model=Linear(),
      source=source,
    )

  with pytest.raises(DataError) as error:
    go(WithBadFiles(bright_or_dark, (9,), 'test'))
  said = str(error.value)
  assert 'example 9' in said and said.endswith('--verify. Saved at step 7.')
  assert (tmp_path / 'checkpoints' / '7').exists()
  assert status(tmp_path)['step'] == 7
  alone = train(config, model=Linear(), source=bright_or_dark)
  assert go(bright_or_dark).digest == alone.digest
  # The evaluation that failed is made up for.
  evaluated = [r['step'] for r in read_run(tmp_path).rows if 'eval/top1' in r]
  assert evaluated == [7, 14, 20]


def test_other_data_are_refused_before_anything_compiles(
  bright_or_dark, tmp_path, monkeypatch
):
  train(CONFIG, tmp_path, model=Linear(), source=bright_or_dark)
  images = np.full((60, 8, 8, 1), 40, np.uint8)
  labels = np.arange(60) % 2
  fewer = ArrayDataset({'train': (images, labels), 'test': (images, labels)})
  monkeypatch.setattr(trainer, 'Session', None)
  with pytest.raises(UsageError, match=r'data.splits.test=64, not 60') as error:
    train(CONFIG, tmp_path, model=Linear(), source=fewer)
  assert '--allow_change=data' in str(error.value)
  stored = json.loads((tmp_path / 'dataset.json').read_text())
  assert stored['splits'] == {'train': 64, 'test': 64}


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


def test_a_start_that_fails_is_watched_no_longer(
  bright_or_dark, tmp_path, monkeypatch
):
  """Or a notebook would be ended an hour later."""

  def fail(*_):
    names = [thread.name for thread in threading.enumerate()]
    raise UsageError(f'watched: {"watchdog" in names}')

  monkeypatch.setattr('resflax.training.session.Metrics', fail)
  with pytest.raises(UsageError, match='watched: True'):
    train(CONFIG, tmp_path, model=Linear(), source=bright_or_dark)
  assert 'watchdog' not in [thread.name for thread in threading.enumerate()]


def never_finite(logits, labels):
  return jnp.log(-jnp.square(logits[:, 0]) - 1)


def test_a_loss_that_is_not_finite_ends_the_run(bright_or_dark, tmp_path):
  with pytest.raises(NotFiniteError, match='steps 1 to 3 ') as error:
    train(
      {**CONFIG, 'checkpoint_every_steps': 1, 'data': SPLITS},
      tmp_path,
      model=Linear(),
      source=bright_or_dark,
      loss=never_finite,
    )
  assert status(tmp_path)['state'] == 'failed'
  assert status(tmp_path)['exit_code'] == 3
  stored = json.loads((tmp_path / 'not_finite.json').read_text())['steps']
  assert [row['step'] for row in stored] == [1, 2, 3]
  seen = [example for row in stored for example in row['examples']]
  assert len(set(seen)) == 48  # of an epoch of 64
  assert f'Step 1 saw the examples {seen[0]}, {seen[1]}, ' in str(error.value)


def test_debugging_names_the_operation(bright_or_dark):
  jax.config.update('jax_debug_nans', True)
  try:
    with pytest.raises(FloatingPointError, match='encountered in log'):
      train(CONFIG, model=Linear(), source=bright_or_dark, loss=never_finite)
  finally:
    jax.config.update('jax_debug_nans', False)


def test_a_state_that_overflowed_is_not_saved(bright_or_dark, tmp_path):
  """The first step's loss and gradient are finite, its parameters are not."""
  with pytest.raises(NotFiniteError, match='is not finite at step 1, though'):
    train(
      {
        **CONFIG,
        'checkpoint_every_steps': 1,
        'optimizer': {'lr': 3e38, 'lr_reference_batch': 0},
        'schedule': {'total_steps': 20, 'warmup_steps': 0},
      },
      tmp_path,
      model=Linear(),
      source=bright_or_dark,
      loss=lambda logits, labels: 100 * hinge(logits, labels),
    )
  assert not (tmp_path / 'checkpoints').exists()


class ThreeClasses(nn.Module):
  """Like Linear."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    return nn.Dense(3)(images.reshape(len(images), -1))


def test_single_steps_that_are_not_finite_are_left_out():
  """An example of an epoch of four steps makes the loss of its step NaN."""
  images, labels = np.full((64, 8, 8, 1), 40, np.uint8), np.arange(64) % 2
  images[labels == 1] = 200
  odd = np.where(np.arange(64) == 7, 2, labels)
  rows = []
  result = train(
    {**CONFIG, 'data': SPLITS},
    model=ThreeClasses(),
    source=ArrayDataset(
      {'train': (images, odd), 'test': (images, labels)},
      class_names=('dark', 'bright', 'odd'),
    ),
    loss=lambda logits, labels: jnp.where(
      labels == 2,
      jnp.nan,
      optax.softmax_cross_entropy_with_integer_labels(logits, labels),
    ),
    hooks=[lambda step, state, row: rows.append(row)],
  )
  counts = [row['not_finite'] for row in rows if 'not_finite' in row]
  assert counts[-1] == 5 and counts == sorted(counts)
  assert all(np.isfinite(r['train/loss']) for r in rows if 'train/loss' in r)
  assert result.evaluation.top1 == 1.0


def test_a_stage_longer_than_its_compilation_hides_it(
  bright_or_dark, monkeypatch
):
  made, rows = [], []

  class Watched(Programs):
    def __init__(self, jobs):
      super().__init__(jobs)
      made.append(self)

  def wait_in_the_first_stage(step, state, row):
    del state
    rows.append(row)
    if step == 5:
      concurrent.futures.wait(made[0]._futures.values())

  monkeypatch.setattr(session, 'Programs', Watched)
  train(
    {
      **CONFIG,
      'data': SPLITS,
      'resolution': {'schedule': 'custom', 'custom': (0.0, 8.0, 50.0, 12.0)},
    },
    model=Pooled(),
    source=bright_or_dark,
    hooks=[wait_in_the_first_stage],
  )
  rows = [row for row in rows if 'compile_exposed_s' in row]
  assert [row['resolution'] for row in rows] == [8, 8, 12, 12]
  first, *_, last = (row['compile_exposed_s'] for row in rows)
  assert 0 < first < last < first + 1e-3  # to look whether it is there
  assert rows[-1]['compile_hidden_s'] > 0


def test_rows_hold_the_length_of_the_gradient_where_asked_for(bright_or_dark):
  logged = {}
  for asked in (True, False):
    rows = []
    train(
      {**CONFIG, 'data': SPLITS, 'log_gradient_norms': asked},
      model=Linear(),
      source=bright_or_dark,
      hooks=[lambda step, state, row, kept=rows: kept.append(row)],
    )
    logged[asked] = [row for row in rows if 'train/loss' in row]
  name = 'train/gradient_norm/Dense_0'
  norms = [row[name] for row in logged[True]]
  assert len(norms) == 4 and norms[0] > 1  # later, all is learned
  assert not any(name in row for row in logged[False])
