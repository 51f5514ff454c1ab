"""Images of folders: what evaluation cannot use, and training replaces."""

import shutil

import pytest

from configs.folder import get_config
from resflax.data.sources import load_dataset
from resflax.doctor import images
from resflax.errors import DataError
from resflax.training.assemble import assemble

SPLITS = ('train', 'validation', 'test')


@pytest.fixture
def folder(tmp_path, write_image):
  for split in SPLITS:
    for i in range(20):
      for name in ('cat', 'dog'):
        write_image(tmp_path / split / name / f'{i}.jpg', size=(40, 30))
  return tmp_path


def look(folder, **changes):
  config = get_config(f'{folder},runlocal,variant=resnet18')
  config.data.update(changes)
  return images.examine('data set', assemble(config.to_dict()))


def middle(folder, split):
  """Returns a file that is neither the first nor the last of a split."""
  return load_dataset(f'folder:{folder}').split(split).where(20)


def damage(path, how):
  with open(path, 'rb') as file:
    whole = file.read()
  with open(path, 'wb') as file:
    file.write({'text': b'hi\n', 'empty': b'', 'cut': whole[:-20]}[how])


def test_sound_files(folder):
  found = look(folder)
  assert (found.verdict, found.exit_code) == ('ok', 0)
  assert '40 to train, 40 to val, 40 to test; all 120 files' in found.found
  assert 'prepare_data --verify' in found.found


@pytest.mark.parametrize('split', SPLITS[1:])
@pytest.mark.parametrize('how', ['text', 'empty', 'cut'])
def test_evaluation_can_use_all_or_ends(folder, split, how):
  path = middle(folder, split)
  damage(path, how)
  with pytest.raises(DataError, match=f'^Cannot use {path}: .*--verify'):
    look(folder)


@pytest.mark.parametrize('how', ['text', 'cut'])
def test_training_replaces_some(folder, how):
  path = middle(folder, 'train')
  damage(path, how)
  found = look(folder, bad_budget=0.1)
  assert (found.verdict, found.exit_code) == ('warning', 0)
  assert found.found.startswith(f'Cannot use {path}: ')
  assert 'training replaces 1' in found.to_do and '--verify' in found.to_do
  with pytest.raises(DataError, match='1 of 40 training examples cannot'):
    look(folder, bad_budget=0.0)


def test_the_sources_of_a_mixture(folder, tmp_path_factory):
  other = shutil.copytree(folder, tmp_path_factory.mktemp('other') / 'more')
  mixture = {'sources': (f'folder:{other}',), 'ratios': (1, 1)}
  found = look(folder, mixture=mixture)
  assert found.verdict == 'ok' and '80 to train, 40 to val' in found.found
  for path in (middle(folder, 'train'), middle(other, 'train')):
    damage(path, 'text')
  found = look(folder, mixture=mixture, bad_budget=0.03)
  assert found.verdict == 'warning' and 'replaces 2' in found.to_do


def test_parts_of_one_split(folder):
  """A bad image counts for the part that it is in."""
  parts = {
    'train_split': 'train[:50%]',
    'val_split': 'train[50%:]',
    'test_split': 'validation',
    'bad_budget': 0.1,
  }
  records = load_dataset(f'folder:{folder}').split('train')
  damage(records.where(10), 'text')
  assert look(folder, **parts).verdict == 'warning'
  damage(records.where(30), 'text')
  with pytest.raises(DataError, match=records.where(30)):
    look(folder, **parts)


def test_what_ends_otherwise_may_be_an_image(folder):
  with open(middle(folder, 'test'), 'ab') as file:
    file.write(bytes(9))  # cameras pad their files
  assert look(folder).verdict == 'ok'


def test_it_stops_in_time_and_says_how_far_it_came(folder, monkeypatch):
  monkeypatch.setattr(images, 'SECONDS', 0)
  monkeypatch.setattr(images, '_CHUNK', 10)
  assert '; 30 of 120 files begin and end' in look(folder).found
