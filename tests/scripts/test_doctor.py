"""The command: a table, JSON and exit codes, by one process and by two."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scripts.calling import call

CONFIG = '--config=configs/digits.py'


def test_launch_scripts_are_printed_alone():
  done = call(
    *('doctor', '--print_launch=slurm', CONFIG, '--config.optimizer.lr=0.05')
  )
  assert (done.returncode, done.stderr) == (0, '')
  assert done.stdout.startswith('#!/bin/bash\n')
  flags = f'{CONFIG} --config.optimizer.lr=0.05 --workdir=runs/digits'
  for name in ('scripts.doctor', 'scripts.train'):
    assert f'python -u -m {name} {flags}' in done.stdout


def test_a_local_folder_of_a_slice_is_noted():
  done = call('doctor', '--print_launch=tpu-vm', CONFIG, '--workdir=runs/x')
  assert done.returncode == 0
  assert done.stdout.startswith('#!/bin/bash\n')
  assert done.stderr.startswith('note: --workdir=runs/x is a local folder')


def test_a_launch_script_needs_a_config():
  done = call('doctor', '--print_launch=xpk')
  assert done.returncode == 5
  assert done.stderr.startswith('error: --config is missing')


def test_help_lists_the_flags_of_several_processes():
  done = call('doctor', '--help')
  assert done.returncode == 0
  assert '--wait_seconds:' in done.stdout
  assert '--coordinator_address:' in done.stdout


@pytest.mark.slow
def test_the_example_of_the_readme(tmp_path):
  done = call('doctor', CONFIG, f'--workdir={tmp_path}/digits', timeout=120)
  assert done.returncode == 0, done.stdout + done.stderr
  assert 'failed' not in done.stdout
  assert done.stdout.rstrip().splitlines()[-1].startswith('The run can start')


@pytest.mark.slow
def test_two_processes_have_one_table_and_one_exit_code(tmp_path):
  """Each has a folder of its own, as hosts without a shared disk have."""
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = '127.0.0.1:{1}'.format(*free.getsockname())

  def one(process):
    return call(
      *('doctor', '--json', f'{CONFIG}:runlocal', '--config.batch_size=65'),
      f'--workdir={tmp_path}/{process}',
      *(f'--coordinator_address={address}', '--num_processes=2'),
      f'--process_id={process}',
      timeout=120,
    )

  with ThreadPoolExecutor(2) as pool:
    main, other = pool.map(one, range(2))
  assert (main.returncode, other.returncode) == (5, 5), main.stderr
  assert other.stdout == ''
  found = json.loads(main.stdout)
  assert (found['verdict'], found['exit_code']) == ('failed', 5)
  assert len(found['hosts']) == 2
  checks = [(c['check'], c['verdict'], c['exit_code']) for c in found['checks']]
  assert ('hosts', 'ok', 0) in checks
  assert ('sum over devices', 'ok', 0) in checks
  assert ('batch size', 'failed', 5) in checks
  assert checks.count(('run folder', 'failed', 6)) == 2  # one names the other
