"""The command that writes a data set to disk."""

import functools

from tests.scripts.calling import call

prepare_data = functools.partial(call, 'prepare_data')


def test_it_says_what_is_there_and_how_to_train_on_it(tmp_path):
  first, again = (
    prepare_data('--dataset=digits', f'--data_dir={tmp_path}') for _ in range(2)
  )
  assert first.returncode == again.returncode == 0, first.stderr
  said = first.stdout.splitlines()
  assert said == [
    f'digits 1.0.0 is prepared in {tmp_path}/digits',
    '  train: 1,437 images',
    '  test: 360 images',
    '  10 classes, 1 channel(s)',
    'Train on it: python -m scripts.train --config=configs/digits.py '
    f'--config.data.data_dir={tmp_path} --workdir=DIR',
  ]
  assert first.stderr == f'Preparing digits in {tmp_path}/digits/1.0.0\n'
  assert 'is already prepared in' in again.stdout and not again.stderr


def test_errors_are_one_line_and_exit_code_5(tmp_path):
  for arguments, says in (
    ([], '--dataset is missing'),
    (['--dataset=cifar1O'], "Did you mean 'cifar10'?"),
    (['--datset=cifar10'], 'datset'),
  ):
    done = prepare_data(*arguments, f'--data_dir={tmp_path}')
    assert done.returncode == 5
    assert says in done.stderr and done.stderr.count('\n') == 1
