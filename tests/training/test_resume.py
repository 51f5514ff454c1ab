"""A run that is stopped in the middle of every stage is the run it would be."""

import json
import os
import signal
import threading

import pytest
from flax import linen as nn

from configs.digits import get_config
from resflax.errors import PreemptedError, StoppedError
from resflax.models.conv import Conv
from resflax.models.layers import GroupBatchNorm
from resflax.report.read import read_run
from resflax.training import jobs
from resflax.training.trainer import train

# Of each stage, by hand: the steps it has, and the batches one takes.
STAGES = {16: (3, 4), 20: (3, 2), 32: (6, 1)}
STOPS = (2, 5, 9)


class Tiny(nn.Module):
  """What has statistics and draws numbers; four programs of it are quick."""

  dropout_rate: float = 0.5

  @nn.compact
  def __call__(self, images, *, train):
    x = Conv(8, 3, stride=2, name='conv')(images)
    x = nn.relu(GroupBatchNorm(momentum=0.0, name='norm')(x, train=train))
    x = nn.Dropout(self.dropout_rate)(x.mean((1, 2)), deterministic=not train)
    return nn.Dense(10, name='head')(x)


def config(data_dir):
  """Returns twelve steps of everything that changes from stage to stage."""
  c = get_config('runlocal')
  c.data.data_dir = str(data_dir)
  c.writers = ()
  c.augment.randaugment.layers = 2
  c.augment.mixup = 0.2
  c.resolution.schedule = 'custom'
  c.resolution.custom = (0.0, 16.0, 50.0, 20.0, 75.0, 32.0)
  c.resolution.batch = 'pixels'
  c.resolution.strengths = 0.3
  c.schedule.total_steps = 24
  c.schedule.warmup_steps = 5
  c.eval_every_steps = 10
  return c


def stopping_at(stop):
  """Returns a hook that asks for an end: the step after a row is the last."""

  def hook(step, state, row):
    del state
    if step == stop - 1 and 'train/loss' in row:
      signal.raise_signal(signal.SIGTERM)

  return hook


@pytest.mark.slow
def test_without_a_folder_nothing_is_called_saved(tmp_path):
  c = config(tmp_path / 'data')
  with pytest.raises(StoppedError, match='nothing is saved') as caught:
    train(c, model=Tiny(), hooks=[stopping_at(3)])
  assert caught.value.exit_code == 130


def rows(workdir):
  """Returns what the rows hold, but for times."""
  clocks = ('time', 'images_per_second', 'compile')
  return [
    {k: v for k, v in row.items() if not k.startswith(clocks)}
    for row in read_run(workdir).rows
  ]


@pytest.mark.slow
def test_stopped_in_the_middle_of_every_stage(tmp_path):
  def go(name, *hooks):
    folder = tmp_path / name
    return train(config(tmp_path / 'data'), folder, model=Tiny(), hooks=hooks)

  whole = go('whole')
  for stop in STOPS:
    with pytest.raises(PreemptedError, match=f'at step {stop} of 12;'):
      go('parts', stopping_at(stop))
  parts = go('parts')
  assert parts.digest == whole.digest
  assert rows(tmp_path / 'parts') == rows(tmp_path / 'whole')

  trained = [r for r in rows(tmp_path / 'whole') if 'train/loss' in r]
  sizes = [px for px, (steps, _) in STAGES.items() for _ in range(steps)]
  batches = [n for steps, n in STAGES.values() for _ in range(steps)]
  assert [r['resolution'] for r in trained] == sizes
  seen = [16 * sum(batches[:step]) for step in range(1, 13)]
  assert [r['examples'] for r in trained] == seen
  evaluated = [r['step'] for r in rows(tmp_path / 'whole') if 'eval/top1' in r]
  assert evaluated == [3, 8, 12]  # at 12, 20 and 24 batches


@pytest.mark.slow
def test_stopped_while_a_stage_is_compiled(tmp_path, monkeypatch):
  trained, released = threading.Event(), threading.Event()
  compiles = jobs._train_job

  def job(setup, stage):
    make = compiles(setup, stage)

    def slow():
      trained.wait(60)
      os.kill(os.getpid(), signal.SIGTERM)
      released.wait(60)
      return make()

    return slow if stage.resolution == 20 else make

  def hook(step, state, row):
    del state
    if step == 3 and 'eval/top1' in row:  # all there is of the first stage
      trained.set()

  def go(name, *hooks):
    folder = tmp_path / name
    return train(config(tmp_path / 'data'), folder, model=Tiny(), hooks=hooks)

  whole = go('whole')
  with monkeypatch.context() as patched:
    patched.setattr(jobs, '_train_job', job)
    with pytest.raises(PreemptedError, match='while a program was compiled'):
      go('parts', hook)
  released.set()
  status = json.loads((tmp_path / 'parts' / 'status.json').read_text())
  assert (status['state'], status['step']) == ('preempted', 3)
  assert go('parts').digest == whole.digest
  assert rows(tmp_path / 'parts') == rows(tmp_path / 'whole')
