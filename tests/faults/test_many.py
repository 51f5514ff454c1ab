"""Each fault many times over, and what it costs: `pytest --faults`."""

import pathlib
import shutil
import signal

import numpy as np
import pytest
from etils import epath

from resflax.training.manifest import damage
from tests.faults.injuries import (
  files_of,
  fill,
  flip,
  random_bits,
  read_only,
  small_disk,
)
from tests.faults.running import (
  Life,
  acknowledged,
  is_committed,
  is_saving,
  newest,
  saved_steps,
)

pytestmark = pytest.mark.faults
RNG = np.random.default_rng(0)
NO_MOUNT = 'only root may mount a file system'


def in_a_step(life, start):
  life.until_step(start + int(RNG.integers(3, 12)))


def in_a_save(life, start):
  life.until(lambda: life.steps and is_saving(life.workdir))


def after_the_first_commit(life, start):
  life.until(lambda: life.steps and is_committed(life.workdir, start))


def after_a_commit(life, start):
  life.until(lambda: newest(life.workdir) > start)
  saved = newest(life.workdir)
  life.until(lambda: is_committed(life.workdir, saved))


@pytest.mark.parametrize(
  ('fault', 'when', 'number', 'code', 'times'),
  [
    ('kill -9 in a step', in_a_step, signal.SIGKILL, -9, 10),
    ('kill -9 in a save', in_a_save, signal.SIGKILL, -9, 10),
    (
      'kill -9 right after the first commit',
      *(after_the_first_commit, signal.SIGKILL, -9, 5),
    ),
    ('kill -9 right after a commit', after_a_commit, signal.SIGKILL, -9, 5),
    ('SIGTERM', in_a_step, signal.SIGTERM, 42, 8),
    ('Ctrl-C', in_a_step, signal.SIGINT, 42, 2),
  ],
)
def test_signals(fault, when, number, code, times, tmp_path, cache, whole, row):
  """One run, killed again and again, and then left alone."""
  row, start, done = row(fault), 0, 0
  for _ in range(times):
    with Life(tmp_path / 'run', cache=cache) as life:
      when(life, start)
      assert life.kill(number) == code, life.log
    row.injected += 1
    if done:
      resumed(row, life, done, start)
    done, start = life.steps[-1], newest(tmp_path / 'run')
    assert start >= acknowledged(tmp_path / 'run')
    assert code != 42 or start == done
  with Life(tmp_path / 'run', cache=cache) as life:
    assert life.wait() == 0, life.log
  resumed(row, life, done, start)
  assert life.digest == whole.digest
  row.survived += times


def resumed(row, life, done, start):
  """Notes what a start after a fault found."""
  assert life.steps[0] == start + 1
  row.lost.append(done - start)
  row.seconds.append(life.first)


def finishes(row, run, done, cache, whole, said=''):
  """The run goes on, to the same end."""
  with Life(run, cache=cache) as life:
    assert life.wait() == 0, life.log
  assert said in life.log
  row.lost.append(done - life.steps[0] + 1)
  row.seconds.append(life.first)
  assert life.digest == whole.digest
  row.survived += 1


def ended(life, text):
  """Whether it ended as storage that fails should: one line and a code."""
  assert life.wait() == 6, life.log
  assert text in life.err and life.err.count('\n') == 1, life.err
  assert life.err.startswith('error: ')


def test_a_full_disk(tmp_path, cache, whole, row):
  with small_disk(tmp_path / 'disk') as disk:
    if not disk:
      pytest.skip(NO_MOUNT)
    row = row('disk full')
    with Life(disk / 'run', cache=cache) as life:
      life.until(lambda: acknowledged(disk / 'run'))
      filler = fill(disk)
      ended(life, 'No space left on device')
    row.injected += 1
    done = life.steps[-1]
    assert newest(disk / 'run') >= acknowledged(disk / 'run') >= 10
    filler.unlink()
    finishes(row, disk / 'run', done, cache, whole)


def test_a_limit_on_files(tmp_path, cache, whole, row):
  row = row('file size limit')
  row.injected += 1
  with Life(tmp_path / 'run', cache=cache, largest_file=1 << 15) as life:
    ended(life, 'File too large')
  assert acknowledged(tmp_path / 'run') == 0
  finishes(row, tmp_path / 'run', life.steps[-1], cache, whole)


def test_a_read_only_folder(tmp_path, cache, whole, row):
  with small_disk(tmp_path / 'disk') as disk:
    if not disk:
      pytest.skip(NO_MOUNT)
    row = row('folder becomes read-only')
    with Life(disk / 'run', cache=cache) as life:
      life.until_step(15)
      life.kill()
    row.injected += 1
    with read_only(disk), Life(disk / 'run', cache=cache) as again:
      ended(again, 'Read-only file system')
    finishes(row, disk / 'run', life.steps[-1], cache, whole)


def test_a_folder_that_vanishes(tmp_path, cache, whole, row):
  row, run = row('folder vanishes and comes back'), tmp_path / 'run'
  with Life(run, cache=cache) as life:
    life.until_step(25)
    run.rename(tmp_path / 'elsewhere')
    ended(life, 'No such file or directory')
  row.injected += 1
  shutil.rmtree(run, ignore_errors=True)  # what a save in flight made anew
  (tmp_path / 'elsewhere').rename(run)
  finishes(row, run, life.steps[-1], cache, whole)


def injured(step, kind):
  """Damages the largest file of a step."""
  file = files_of(step)[-1]
  if kind == 'bit flip':
    flip(file, 4 * file.stat().st_size)
  elif kind == 'truncation':
    with file.open('r+b') as content:
      content.truncate(file.stat().st_size // 2)
  elif kind == 'lost file':
    file.unlink()
  else:
    (step / 'manifest.json').unlink()


@pytest.mark.parametrize(
  'kind', ['bit flip', 'truncation', 'lost file', 'lost manifest']
)
def test_a_damaged_newest_step(kind, tmp_path, cache, whole, row):
  row, run = row(f'newest checkpoint: {kind}'), tmp_path / 'run'
  with Life(run, cache=cache) as life:
    life.until_step(35)
    assert life.kill(signal.SIGTERM) == 42
  step = newest(run)
  injured(run / 'checkpoints' / str(step), kind)
  row.injected += 1
  finishes(row, run, step, cache, whole, f'skipped checkpoint {step}: ')
  assert (run / 'damaged' / str(step)).exists()


def test_all_steps_damaged(tmp_path, cache, whole):
  """It neither goes on from wrong numbers nor begins anew."""
  run = shutil.copytree(whole.workdir, tmp_path / 'run')
  for step in saved_steps(run):
    injured(run / 'checkpoints' / str(step), 'bit flip')
  with Life(run, cache=cache) as life:
    ended(life, 'are damaged')
  assert not life.steps


@pytest.mark.parametrize('kind', ['bit flips', 'truncations'])
def test_many_places(kind, whole, tmp_path, row):
  row = row(f'40 {kind} in a checkpoint, found')
  [*_, step] = (whole.workdir / 'checkpoints').glob('[0-9]*')
  plain = shutil.copytree(step, tmp_path / 'step')
  for file, bit in random_bits(plain, 40):
    content = file.read_bytes()
    if kind == 'bit flips':
      flip(file, bit)
    else:
      file.write_bytes(content[: bit // 8])
    row.injected += 1
    found = damage(epath.Path(plain)) or ''
    row.survived += found.startswith(str(file.relative_to(plain)))
    file.write_bytes(content)
  assert row.survived == row.injected == 40
  assert damage(epath.Path(plain)) is None


@pytest.mark.parametrize('kind', ['flipped', 'cut off'])
def test_a_bad_compile_cache(kind, tmp_path, cache, whole, row):
  row = row(f'compile cache {kind}')
  mine = shutil.copytree(cache, tmp_path / 'cache')
  programs = sorted(pathlib.Path(mine).glob('*-cache'))
  assert len(programs) >= 2
  for file in programs:
    content = bytearray(file.read_bytes())
    if kind == 'flipped':
      content[len(content) // 2] ^= 8
    file.write_bytes(content if kind == 'flipped' else content[:-100])
  row.injected += 1
  finishes(row, tmp_path / 'run', 0, str(mine), whole)
