"""The command that writes a data set to disk."""

import functools

import pytest

from scripts.recipes import train_command
from tests.scripts.calling import call

prepare_data = functools.partial(call, 'prepare_data')


def test_it_says_what_is_there_and_how_to_train_on_it(tmp_path):
  first, again = (
    prepare_data('--dataset=digits', f'--data_dir={tmp_path}') for _ in range(2)
  )
  assert first.returncode == again.returncode == 0, first.stderr
  said = first.stdout.splitlines()
  assert said == [
    f'digits 1.0.0 is prepared in {tmp_path}/digits/1.0.0',
    '  train: 1,437 images',
    '  test: 360 images',
    '  10 classes, 1 channel(s)',
    'Train on it: python -m scripts.train --config=configs/digits.py '
    f'--config.data.data_dir={tmp_path} --workdir=DIR',
  ]
  assert first.stderr == f'Preparing digits in {tmp_path}/digits/1.0.0\n'
  assert again.stdout.startswith(
    f'digits 1.0.0 is already prepared: delete {tmp_path}/digits/1.0.0 to '
    'prepare it again\n'
  )
  assert not again.stderr


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
  said = done.stdout.splitlines()
  assert said[1] == '  train: 6 images'
  assert '--config=configs/folder.py:name=photos --config.data.data' in said[-1]
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


def test_a_set_whose_files_are_gone_is_not_prepared(tmp_path, write_image):
  for name in ('class0', 'class1'):
    write_image(tmp_path / 'photos' / name / 'good.png')
  command = f'--folder={tmp_path}/photos', f'--data_dir={tmp_path}/data'
  assert prepare_data(*command).returncode == 0
  folder = tmp_path / 'data/photos/1.0.0'
  [shard] = folder.glob('*train*')
  shard.unlink()
  for arguments in (command, ('--dataset=photos', command[1])):
    done = prepare_data(*arguments)
    assert done.returncode == 4 and not done.stdout
    assert done.stderr.endswith(f'Delete {folder} first.\n')
    assert done.stderr.count('\n') == 1


def test_bad_images_end_a_verification_with_exit_code_4(tmp_path, write_image):
  for name in ('class0', 'class1'):
    write_image(tmp_path / 'photos' / name / 'good.png')
  (tmp_path / 'photos/class0/bad.png').write_bytes(b'GIF8')
  done = prepare_data(f'--dataset=folder:{tmp_path}/photos', '--verify')
  assert done.returncode == 4
  assert 'bad.png: not an image' in done.stdout
  assert done.stderr.splitlines()[-1].startswith('error: folder:')


@pytest.mark.parametrize(
  ('arguments', 'says'),
  [
    (['--verify', '--max_side=32'], 'One at a time: --max_side or --verify.'),
    (['--quality=90'], '--quality has no effect without --max_side:'),
    (['--verify', '--from_dir=/'], '--from_dir has no effect with --verify:'),
    (['--from_tfrecord=/'], '--dataset has no effect with --from_tfrecord:'),
    (['--folder='], '--folder is empty'),
    (['--dataset=folder:/'], '--folder=DIR --dataset=NAME'),
    (['--folder=/', '--data_dir=gs://a/b'], 'written to a local folder'),
    (['--max_side=32', '--data_dir=gs://a/b'], 'written to a local folder'),
  ],
)
def test_flags_without_effect_are_refused(arguments, says):
  done = prepare_data('--dataset=digits', *arguments)
  assert done.returncode == 5
  assert says in done.stderr
  assert done.stderr.count('\n') == 1


@pytest.mark.parametrize(
  ('name', 'config'),
  [
    ('cifar10', 'configs/cifar10.py'),
    ('cifar10:3.0.2', 'configs/cifar10.py --config.data.name=cifar10:3.0.2'),
    (
      'imagenet2012_max512',
      'configs/imagenet/resnet.py --config.data.name=imagenet2012_max512',
    ),
    ('emnist/balanced', 'configs/folder.py:name=emnist/balanced'),
  ],
)
def test_the_command_that_trains(name, config):
  command = train_command(name, None)
  assert command == f'python -m scripts.train --config={config} --workdir=DIR'


def test_the_command_that_trains_can_be_pasted():
  command = train_command('digits', 'my data')
  assert "'--config.data.data_dir=my data'" in command
