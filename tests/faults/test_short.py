"""One run through several faults ends as if nothing had happened."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest
from etils import epath

from resflax.training.manifest import damage
from tests.faults.injuries import files_of, flip, random_bits
from tests.faults.running import (
  TIMEOUT,
  Life,
  acknowledged,
  is_saving,
  newest,
)


@pytest.mark.slow
def test_a_run_that_everything_happens_to(tmp_path, cache, whole):
  run, elsewhere = tmp_path / 'run', tmp_path / 'elsewhere'

  def life(**options):
    return Life(run, cache=cache, **options)

  with life(largest_file=1 << 15) as first:  # less than Orbax writes
    assert first.wait() == 6, first.log
    assert first.err.startswith('error: Cannot write a checkpoint: ')
    assert 'File too large' in first.err and first.err.count('\n') == 1
  assert acknowledged(run) == newest(run) == 0

  with life() as second:
    second.until(lambda: newest(run))
    assert second.kill() == -signal.SIGKILL
  saved = newest(run)
  assert saved >= acknowledged(run) and saved >= 10

  with life() as third:
    third.until(lambda: third.steps and is_saving(run))
    third.kill()
  assert third.steps[0] == saved + 1

  with life() as fourth:
    fourth.until(lambda: fourth.steps)
    run.rename(elsewhere)
    assert fourth.wait() == 6
    assert 'No such file' in fourth.err and fourth.err.count('\n') == 1
  shutil.rmtree(run, ignore_errors=True)  # what a save in flight made anew
  elsewhere.rename(run)

  with life() as fifth:
    fifth.until(lambda: fifth.steps)
    assert fifth.kill(signal.SIGTERM) == 42
    assert f'Stopped at step {fifth.steps[-1]} of 120' in fifth.err
  assert acknowledged(run) == fifth.steps[-1]

  step = run / 'checkpoints' / str(fifth.steps[-1])
  flip(files_of(step)[-1], 8 * 5000)
  for program in pathlib.Path(cache).glob('*-cache'):
    flip(program, 8 * 300)
  with life() as sixth:
    assert sixth.wait() == 0, sixth.log
  assert f'skipped checkpoint {step.name}: state/' in sixth.log
  assert sixth.steps[0] <= fifth.steps[-1]
  assert sixth.digest == whole.digest


@pytest.mark.slow
def test_every_flipped_bit_of_a_real_step_is_found(whole, tmp_path):
  [*_, step] = (whole.workdir / 'checkpoints').glob('[0-9]*')
  copy = shutil.copytree(step, tmp_path / 'step')
  for file, bit in random_bits(copy, 40):
    flip(file, bit)
    found = damage(epath.Path(copy))
    assert found.startswith(str(file.relative_to(copy)))
    flip(file, bit)
  assert damage(epath.Path(copy)) is None


@pytest.mark.slow
def test_a_run_that_hangs_ends(tmp_path, cache):
  program = pathlib.Path(__file__).with_name('hang_program.py')
  done = subprocess.run(
    [sys.executable, program, tmp_path / 'run'],
    timeout=TIMEOUT,
    capture_output=True,
    text=True,
    env={
      **os.environ,
      'JAX_COMPILATION_CACHE_DIR': cache,
      'PYTHONPATH': os.pathsep.join(sys.path),
    },
  )
  assert done.returncode == 75
  assert 'error: nothing went on for ' in done.stderr
  assert 'in hang\n' in done.stderr  # the stack of the main thread
  status = json.loads((tmp_path / 'run' / 'status.json').read_text())
  assert (status['state'], status['exit_code']) == ('failed', 75)
  assert newest(tmp_path / 'run') >= 10
