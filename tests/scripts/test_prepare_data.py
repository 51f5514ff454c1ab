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


def test_a_folder_is_imported_and_verified(tmp_path, write_image):
  for index in range(6):
    path = tmp_path / 'photos' / f'class{index % 2}' / f'{index}.png'
    write_image(path, (index, 3, 9))
  where = f'--data_dir={tmp_path}/data'
  done = prepare_data(f'--folder={tmp_path}/photos', where)
  assert done.returncode == 0, done.stderr
  assert done.stdout.splitlines()[1] == '  train: 6 images'
  done = prepare_data('--dataset=photos', '--verify', where)
  assert done.returncode == 0, done.stderr
  name, *said = done.stdout.splitlines()
  assert name.startswith('photos 1.0.0+')
  assert said == [
    '  train: 6 images, 0 bad',
    '    sides of 10 to 12 pixels',
    '    3 to 3 images a class',
    '  its files are what was written',
  ]


def test_bad_images_end_a_verification_with_exit_code_4(tmp_path, write_image):
  for name in ('class0', 'class1'):
    write_image(tmp_path / 'photos' / name / 'good.png')
  (tmp_path / 'photos/class0/bad.png').write_bytes(b'GIF8')
  done = prepare_data(f'--dataset=folder:{tmp_path}/photos', '--verify')
  assert done.returncode == 4
  assert 'bad.png: not an image' in done.stdout
  assert done.stderr.splitlines()[-1].startswith('error: folder:')


def test_one_thing_at_a_time():
  done = prepare_data('--dataset=digits', '--verify', '--max_side=32')
  assert done.returncode == 5
  assert 'One at a time: --max_side or --verify.' in done.stderr
