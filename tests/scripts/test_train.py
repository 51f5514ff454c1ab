"""The command itself: killed at any moment, it ends in the same digest."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

COMMAND = (
  sys.executable,
  '-m',
  'scripts.train',
  '--config=configs/digits.py:runlocal',
  # Two stages, several evaluations and checkpoints within a few seconds.
  '--config.resolution.stages=2',
  '--config.schedule.total_steps=40',
  '--config.eval_every_steps=8',
  '--config.checkpoint_every_steps=5',
)


def start(workdir, log, *arguments):
  return subprocess.Popen(
    (*COMMAND, f'--workdir={workdir}', *arguments),
    stdout=log,
    stderr=subprocess.STDOUT,
  )


def finish(workdir, *arguments):
  out = subprocess.run(
    (*COMMAND, f'--workdir={workdir}', *arguments),
    capture_output=True,
    text=True,
    timeout=300,
  )
  assert out.returncode == 0, out.stderr
  return out.stdout


def digest(output):
  return re.search(r'^digest ([0-9a-f]{64})$', output, re.MULTILINE)[1]


def rows(workdir):
  return [
    json.loads(line)
    for part in sorted((workdir / 'metrics').glob('*.jsonl'))
    for line in part.read_text().splitlines()
  ]


def steps(workdir):
  """Which rows there are, without the times that no two runs share."""
  return [
    (row['step'], 'lr' in row, 'test/top1' in row) for row in rows(workdir)
  ]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """A run that nobody disturbed."""
  workdir = tmp_path_factory.mktemp('whole') / 'run'
  return workdir, finish(workdir, '--config.profile_steps=(2, 3)')


@pytest.mark.slow
def test_a_run_ends_with_accuracy_report_and_digest(whole):
  workdir, output = whole
  lines = output.splitlines()[-3:]
  assert re.fullmatch(
    r'test top1 [\d.]+% on 360 images after [\d.]+ s', lines[0]
  )
  assert lines[1] == f'report {workdir}/report.html'
  assert re.fullmatch(r'digest [0-9a-f]{64}', lines[2])
  assert json.loads((workdir / 'status.json').read_text())['state'] == 'done'
  assert '<html' in (workdir / 'report.html').read_text()
  assert (workdir / 'evaluation.npz').exists()
  assert list((workdir / 'profile').rglob('*.xplane.pb'))
  environment = json.loads((workdir / 'environment.json').read_text())
  assert environment['jax'] and environment['decoder']
  train_rows = [row for row in rows(workdir) if 'lr' in row]
  assert [row['step'] for row in train_rows] == list(range(1, 41))
  assert [row['resolution'] for row in train_rows] == [16] * 20 + [32] * 20


@pytest.mark.slow
def test_killed_three_times_ends_in_the_same_digest(whole, tmp_path):
  workdir, output = whole
  seed = int.from_bytes(os.urandom(4), 'little')
  print('kill seed', seed)  # shown when the test fails
  random_ = random.Random(seed)
  target = tmp_path / 'run'
  # Each at a random step: waiting for one to be logged makes the moment fall
  # into the run on a machine of any speed, and the delay spreads it.
  for step in sorted(random_.sample(range(2, 38), 3)):
    log_path = tmp_path / f'log{step}'
    with log_path.open('w') as log:
      process = start(target, log)
      deadline = time.monotonic() + 240
      while f'step {step:2d}/40' not in log_path.read_text():
        assert process.poll() is None, log_path.read_text()
        assert time.monotonic() < deadline, log_path.read_text()
        time.sleep(0.01)
      time.sleep(random_.random() * 0.3)
      process.send_signal(signal.SIGKILL)
      process.wait()
  assert digest(finish(target)) == digest(output)
  assert steps(target) == steps(workdir)


@pytest.mark.slow
def test_sigterm_saves_and_the_same_command_goes_on(whole, tmp_path):
  workdir, output = whole
  target, log_path = tmp_path / 'run', tmp_path / 'log'
  with log_path.open('w') as log:
    process = start(target, log)
    while 'step  3/40' not in log_path.read_text():
      assert process.poll() is None, log_path.read_text()
      time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 42, log_path.read_text()
  status = json.loads((target / 'status.json').read_text())
  assert status['state'] == 'preempted' and status['exit_code'] == 42
  saved = {int(p.name) for p in (target / 'checkpoints').iterdir()}
  assert status['step'] in saved
  assert digest(finish(target)) == digest(output)
  assert steps(target)[-1] == steps(workdir)[-1]


@pytest.mark.slow
def test_a_finished_run_says_the_same_again(whole):
  workdir, output = whole
  before = steps(workdir)
  assert digest(finish(workdir)) == digest(output)
  assert steps(workdir) == before


@pytest.mark.slow
def test_a_changed_config_is_refused_for_this_folder(whole):
  workdir, _ = whole
  out = subprocess.run(
    (*COMMAND, f'--workdir={workdir}', '--config.seed=1'),
    capture_output=True,
    text=True,
  )
  assert out.returncode == 5
  assert '--allow_change=seed' in out.stderr


@pytest.mark.slow
def test_a_save_that_fails_ends_the_run_in_one_line(whole, tmp_path):
  """No file may grow past 100 kB, which a full disk looks like."""
  workdir = tmp_path / 'run'
  limited = ('bash', '-c', 'ulimit -f 100; exec "$@"', 'bash')
  out = subprocess.run(
    (*limited, *COMMAND, f'--workdir={workdir}', '--config.writers=()'),
    capture_output=True,
    text=True,
    timeout=120,
    env={**os.environ, 'JAX_COMPILATION_CACHE_DIR': str(tmp_path / 'cache')},
  )
  assert out.returncode == 6, out.stderr
  said = [line for line in out.stderr.splitlines() if 'Warn' not in line]
  said = [line for line in said if 'warnings.warn' not in line]
  assert said == ['error: Cannot write a checkpoint: File too large.']
  assert finish(workdir).splitlines()[-1] == whole[1].splitlines()[-1]
