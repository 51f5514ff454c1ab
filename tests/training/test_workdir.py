"""What a run folder pins, and how it says how a run stands."""

import dataclasses
import errno
import json
import os

import pytest
from etils import epath

from resflax.config import Facts, resolve
from resflax.errors import StorageError, UsageError
from resflax.training.workdir import Workdir, of_folder

FACTS = Facts(1000, {'train_split': 'train'}, 'given')


PETS = {
  'name': 'folder:/pets',
  'version': 'a',
  'class_names': ('cat', 'dog'),
  'channels': 3,
  'splits': {'train': 1000, 'test': 100},
}


def config(**fields):
  return resolve({'schedule': {'total_steps': 10}, **fields}, FACTS)


def pin(folder, resolved, allow=(), **data):
  Workdir(folder).pin(resolved, {**PETS, **data}, allow)


def stored(folder, name='config'):
  return json.loads((folder / f'{name}.json').read_text())


def test_config_and_data_are_stored(tmp_path):
  pin(tmp_path / 'new' / 'run', config())
  found = stored(tmp_path / 'new' / 'run')
  assert found['config']['schedule']['total_steps'] == 10
  assert found['derived']['data.train_split'] == {
    'value': 'train',
    'reason': 'given',
  }
  assert stored(tmp_path / 'new' / 'run', 'dataset')['version'] == 'a'


def test_the_same_may_go_on(tmp_path):
  pin(tmp_path, config())
  pin(tmp_path, config())
  assert stored(tmp_path)['changes'] == []


def test_a_change_is_kept_with_its_step(tmp_path):
  pin(tmp_path, config())
  Workdir(tmp_path).write_status('running', 0, step=4)
  pin(tmp_path, config(seed=1), ['seed'])
  pin(tmp_path, config(seed=1))
  assert stored(tmp_path)['config']['seed'] == 1
  assert stored(tmp_path)['changes'] == [
    {'step': 4, 'field': 'seed', 'from': 0}
  ]


def test_a_finished_run_has_no_step_left_to_change(tmp_path):
  pin(tmp_path, config())
  Workdir(tmp_path).write_status('done', 0, step=10)
  for change in ({'resolved': config(seed=1)}, {'version': 'b'}):
    with pytest.raises(UsageError, match='a finished run of 10 steps'):
      pin(tmp_path, **{'resolved': config(), **change}, allow=['seed', 'data'])
  assert stored(tmp_path)['config']['seed'] == 0
  longer = config(schedule={'total_steps': 20})
  pin(tmp_path, longer, ['schedule.total_steps'])


def test_bad_data_in_the_test_may_be_mended(tmp_path):
  pin(tmp_path, config())
  Workdir(tmp_path).write_status('failed', 4, step=10)
  with pytest.raises(UsageError, match='a finished run of 10 steps'):
    pin(tmp_path, config(seed=1), ['seed', 'data'], version='b')
  pin(tmp_path, config(), ['data'], version='b')
  assert stored(tmp_path, 'dataset')['version'] == 'b'


def test_another_config_is_refused_by_field(tmp_path):
  pin(tmp_path, config())
  with pytest.raises(UsageError, match=r'config.seed=0, not 1.*allow_change=s'):
    pin(tmp_path, config(seed=1))
  assert stored(tmp_path)['config']['seed'] == 0


def test_a_change_may_be_allowed_by_name(tmp_path):
  pin(tmp_path, config())
  pin(tmp_path, config(seed=1), ['seed'])
  with pytest.raises(UsageError, match="Did you mean 'seed'.*--allow_change"):
    pin(tmp_path, config(seed=1), ['sed'])


def test_how_a_run_is_watched_may_change(tmp_path):
  pin(tmp_path, config())
  pin(tmp_path, config(log_every_steps=1, keep={'last': 5}))


def test_where_the_data_lies_may_change_but_not_its_order(tmp_path):
  pin(tmp_path, config(data={'name': 'folder:/pets'}))
  moved = {'data_dir': 'gs://bucket/data', 'name': 'folder:other/pets'}
  pin(tmp_path, config(data=moved), name='folder:/other/pets')
  assert stored(tmp_path, 'dataset')['name'] == 'folder:/other/pets'
  assert stored(tmp_path)['changes'] == []
  with pytest.raises(UsageError, match=r"config.data.shuffle='global', not 'l"):
    pin(tmp_path, config(data={**moved, 'shuffle': 'lanes'}))
  with pytest.raises(UsageError, match=r"config.data.name=.* not 'pets'"):
    pin(tmp_path, config(data={'name': 'pets'}))


@pytest.mark.parametrize(
  ('change', 'text'),
  [
    ({'version': 'b'}, "data.version='a', not 'b'"),
    ({'class_names': ('cat', 'cow')}, "data.class_names[1]='dog', not 'cow'"),
    ({'splits': {'train': 999, 'test': 100}}, 'data.splits.train=1000, not 99'),
    ({'splits': {'train': 1000}}, 'data.splits.test=100, not None'),
  ],
)
def test_other_data_are_refused_unless_allowed(tmp_path, change, text):
  pin(tmp_path, config())
  Workdir(tmp_path).write_status('failed', 4, step=4)
  Workdir(tmp_path).write_bad_examples([(1, 'there', 'why')])
  with pytest.raises(UsageError) as error:
    pin(tmp_path, config(), ['seed'], **change)
  assert text in str(error.value)
  assert str(error.value).endswith(
    'restore the data, use another --workdir, or allow it with '
    '--allow_change=data.'
  )
  assert Workdir(tmp_path).bad_examples()
  [name] = change
  assert stored(tmp_path, 'dataset')[name] == _lists(PETS[name])
  pin(tmp_path, config(), ['data'], **change)
  pin(tmp_path, config(), **change)
  assert stored(tmp_path)['changes'] == [
    {'step': 4, 'field': f'data.{name}', 'from': _lists(PETS[name])}
  ]
  assert Workdir(tmp_path).bad_examples() == []  # of the data that were


def _lists(value):
  return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
  ('change', 'text'),
  [
    ({'class_names': ('ant', 'cat', 'dog')}, "2 classes, not 3 (new: 'ant')"),
    ({'class_names': ('cat',)}, "2 classes, not 1 (gone: 'dog')"),
    ({'channels': 1}, 'data.channels=3, not 1'),
  ],
)
def test_another_network_is_never_gone_on_with(tmp_path, change, text):
  pin(tmp_path, config())
  with pytest.raises(UsageError, match='is another network') as error:
    pin(tmp_path, config(), ['data'], version='b', **change)
  assert text in str(error.value) and 'allow_change' not in str(error.value)


def test_what_follows_from_the_data_is_allowed_with_them(tmp_path):
  def epochs(num_examples):
    facts = dataclasses.replace(FACTS, num_examples=num_examples)
    return resolve({'schedule': {'total_epochs': 3}, 'batch_size': 10}, facts)

  pin(tmp_path, epochs(1000))
  with pytest.raises(UsageError, match='total_steps=300, .*allow_change=data.'):
    pin(tmp_path, epochs(900), version='b')
  pin(tmp_path, epochs(900), ['data'], version='b')
  with pytest.raises(UsageError, match='allow_change=.*schedule.total_steps'):
    pin(tmp_path, epochs(800), version='b')


def test_a_first_start_that_was_killed_between_two_files(tmp_path):
  pin(tmp_path, config())
  (tmp_path / 'dataset.json').unlink()
  pin(tmp_path, config(), version='b')
  assert stored(tmp_path, 'dataset')['version'] == 'b'


def test_status_is_replaced_whole(tmp_path):
  workdir = Workdir(tmp_path)
  workdir.write_status('running', 0, step=0)
  workdir.write_status('preempted', 42, step=7)
  assert json.loads((tmp_path / 'status.json').read_text()) == {
    'state': 'preempted',
    'exit_code': 42,
    'step': 7,
  }
  assert os.listdir(tmp_path) == ['status.json']


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(StorageError, match=r'Cannot write to .*\(--workdir\)'):
    Workdir(tmp_path / 'file' / 'run')


def test_errors_of_the_folder_are_one_line(tmp_path):
  path = epath.Path(tmp_path)
  full = OSError(errno.ENOSPC, 'No space left on device')
  assert 'No space left' in str(of_folder(full, path))
  mine = FileNotFoundError(errno.ENOENT, 'No such file', str(path / 'metrics'))
  assert of_folder(mine, path).exit_code == 6
  assert of_folder(ConnectionError('refused'), path) is None
  assert of_folder(ValueError('no'), path) is None


def test_a_save_into_a_folder_that_is_gone_says_so(tmp_path):
  error, path = StorageError('Cannot write a checkpoint: odd'), tmp_path / 'run'
  assert 'No such file or directory' in str(of_folder(error, epath.Path(path)))
  path.mkdir()
  (path / 'config.json').write_text('{}')
  assert of_folder(error, epath.Path(path)) is None
