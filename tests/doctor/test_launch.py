"""Launch scripts, word for word, and run with stand-ins for the clouds' tools.

Golden texts are written anew with `python -m tests.doctor.test_launch`.
"""

import os
import pathlib
import shlex
import subprocess

import pytest

from resflax.doctor.launch import SYSTEMS, note, script

GOLDEN = pathlib.Path(__file__).parent / 'golden'
CONFIG = 'configs/imagenet/resnet_rs.py:rs152_i256'
ARGV = [
  *('python', '-m', 'scripts.doctor', '--print_launch=slurm', '--json'),
  *('--config', CONFIG, '--config.augment.area=(0.1, 1.0)'),
  *('--distributed=on', '--num_processes', '2'),
]
RUN = [f'--config={CONFIG}', '--config.augment.area=(0.1, 1.0)']
BUCKET = '--workdir=gs://BUCKET/resflax/resnet-rs'
COMMIT = 'c0ffee'

# Writes down how it was called, a word a line.
STAND_IN = """#!/bin/bash
{{ echo "$(basename "$0")"; printf '  %s\\n' "$@"; }} >> {calls}
if [[ $(basename "$0") == git && $1 == archive ]]; then tar -c -T /dev/null; fi
if [[ $(basename "$0") == git && $1 == rev-parse ]]; then echo c0ffee; fi
if [[ $(basename "$0") == git && $1 == remote ]]; then echo https://host/x; fi
"""


@pytest.mark.parametrize('system', SYSTEMS)
def test_the_text_is_golden(system):
  assert script(system, CONFIG, ARGV) == (GOLDEN / f'{system}.sh').read_text()


@pytest.mark.parametrize('system', SYSTEMS)
def test_it_is_bash(system):
  command = ['bash', '-n', GOLDEN / f'{system}.sh']
  subprocess.run(command, check=True, timeout=20)


def test_a_workdir_that_is_given_is_kept():
  text = script('xpk', CONFIG, [*ARGV, '--workdir=gs://mine/run'])
  assert '--workdir=gs://mine/run' in text and 'BUCKET' not in text


@pytest.mark.parametrize(
  'system, workdir, noted',
  [
    ('tpu-vm', ['--workdir=runs/x'], True),
    ('xpk', ['--workdir', '/runs/x'], True),
    ('tpu-vm', ['--workdir=gs://mine/x'], False),
    ('tpu-vm', [], False),  # it then is gs://
    ('slurm', ['--workdir=runs/x'], False),  # nodes share a disk
  ],
)
def test_a_folder_that_hosts_do_not_share_is_noted(system, workdir, noted):
  assert bool(note(system, [*ARGV, *workdir])) is noted


@pytest.fixture
def call(tmp_path):
  """A function that runs a script; returns what it calls, as lists of words."""
  calls = tmp_path / 'calls'
  for name in ('git', 'gcloud', 'docker', 'xpk'):
    tool = tmp_path / 'bin' / name
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(STAND_IN.format(calls=calls))
    tool.chmod(0o755)

  def run(system, *arguments, **variables):
    calls.unlink(missing_ok=True)
    path = f'{tmp_path}/bin:{os.environ["PATH"]}'
    done = subprocess.run(
      ['bash', GOLDEN / f'{system}.sh', *arguments],
      env={**os.environ, 'PATH': path, **variables},
      capture_output=True,
      text=True,
      timeout=20,
    )
    found = []
    for line in calls.read_text().splitlines() if calls.exists() else ():
      if line.startswith('  '):
        found[-1].append(line[2:])
      else:
        found.append([line])
    return done.returncode, [words for words in found if words[0] != 'git']

  return run


def flags(words):
  """Returns `{name: value}` of the words that are flags."""
  pairs = (word.lstrip('-').partition('=') for word in words if '=' in word)
  return {name: value for name, _, value in pairs}


def test_tpu_vm_runs_on_every_worker(call):
  code, [words] = call('tpu-vm', 'check')
  assert code == 0
  assert words[:6] == [
    'gcloud',
    'compute',
    'tpus',
    'tpu-vm',
    'ssh',
    'resnet-rs',
  ]
  given = flags(words)
  assert (given['worker'], given['zone']) == ('all', 'us-west4-a')
  # What the shell of the worker makes of it.
  asked = shlex.split(given['command'], comments=False)
  assert asked[-len(RUN) - 1 :] == [*RUN, BUCKET]
  assert asked[:4] == ['cd', 'resflax', '&&', '.venv/bin/python']


def test_tpu_vm_on_several_slices_goes_by_the_queued_resource(call):
  _, [words] = call('tpu-vm', 'create', SLICES='4', TYPE='v5litepod-256')
  given = flags(words)
  assert words[3:5] == ['queued-resources', 'create']
  assert (given['node-count'], given['node-prefix']) == ('4', 'resnet-rs')
  assert given['accelerator-type'] == 'v5litepod-256'
  _, [words] = call('tpu-vm', 'train', SLICES='4')
  assert words[3:5] == ['queued-resources', 'ssh']
  given = flags(words)
  assert (given['node'], given['worker']) == ('all', 'all')
  assert 'nohup' in given['command'] and given['command'].endswith('&')


def test_tpu_vm_installs_the_commit_that_is_checked_out(call):
  _, [words] = call('tpu-vm', 'install')
  asked = '\n'.join(words)
  assert f"git checkout -q '{COMMIT}'" in asked
  assert "git clone -q 'https://host/x' resflax" in asked
  assert "-e '.[tpu,gcs]'" in asked


def test_tpu_vm_without_a_word_says_what_there_is(call):
  assert call('tpu-vm') == (5, [])


def test_xpk_builds_pushes_and_starts(call):
  code, [build, push, create] = call('xpk', PROJECT='mine', SLICES='2')
  assert code == 0
  image = f'gcr.io/mine/resflax:{COMMIT}'
  assert build[:5] == ['docker', 'build', '-q', '-t', image]
  assert push == ['docker', 'push', '-q', image]
  given = flags(create)
  assert create[:3] == ['xpk', 'workload', 'create']
  assert given['docker-image'] == image and given['num-slices'] == '2'
  assert (given['max-restarts'], given['restart-on-exit-codes']) == ('20', '75')
  check, train = given['command'].split(' && exec ')
  for command, name in ((check, 'scripts.doctor'), (train, 'scripts.train')):
    assert shlex.split(command) == ['python', '-u', '-m', name, *RUN, BUCKET]


if __name__ == '__main__':
  for name in SYSTEMS:
    (GOLDEN / f'{name}.sh').write_text(script(name, CONFIG, ARGV))
