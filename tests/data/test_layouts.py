"""How class folders may be laid out, and what else is refused."""

import errno
import os

import pytest

from resflax.data.folders import FolderDataset
from resflax.data.sources import load_dataset
from resflax.errors import DataError, ResflaxError, UsageError


def write_files(root, *paths):
  for path in paths:
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith('/'):
      where.mkdir()
    else:
      where.write_bytes(b'of no format')


def splits_of(root):
  dataset = FolderDataset(str(root))
  return {
    split: sorted(dataset.split(split).paths) for split in dataset.info.splits
  }


FLAT = ('cat/1.png', 'dog/1.png')
SPLIT = ('train/cat/1.png', 'train/dog/1.png', 'val/dog/1.png')


@pytest.mark.parametrize('above', ['', 'a/', 'a/b/train/'])
@pytest.mark.parametrize(
  'beside', [(), ('README', '.DS_Store', '__MACOSX/a/._1.png', '.git/c/1.png')]
)
def test_a_single_folder_is_looked_through(tmp_path, above, beside):
  write_files(tmp_path, *(above + path for path in FLAT), *beside)
  write_files(tmp_path / above, 'cat/.thumbs/1.png', 'cat/__MACOSX/1.png')
  assert splits_of(tmp_path) == {'train': list(FLAT)}


@pytest.mark.parametrize('above', ['', 'a/', 'test/'])
@pytest.mark.parametrize(
  ('train', 'val'),
  [('train', 'val'), ('TRAIN', 'Validation'), ('Training', 'valid')],
)
def test_split_folders_are_known_in_any_case(tmp_path, above, train, val):
  for path in SPLIT:
    renamed = path.replace('train', train).replace('val', val)
    write_files(tmp_path, above + renamed)
  write_files(tmp_path / above, 'notes.txt', 'preview.jpg')
  assert splits_of(tmp_path) == {
    'train': list(FLAT),
    'validation': ['dog/1.png'],
  }


@pytest.mark.parametrize(
  ('paths', 'says'),
  [
    ((), "DIR' has no class folders"),
    (('1.png',), "DIR' has no class folders"),
    (('cat/1.png',), "DIR/cat' is the only class folder"),
    (('cat/1.png', 'cat/a/1.png'), "DIR/cat' has an image beside its class"),
    (('train/cat/1.png',), "DIR/train/cat' is the only class folder"),
    (('1.png', 'a/cat/1.png', 'a/dog/1.png'), "DIR' has an image beside its"),
    ((*FLAT, '1.png'), "DIR' has an image beside its class folders: '1.png'"),
    ((*FLAT, 'cow/'), "DIR/cow' has no images"),
    ((*FLAT, 'cow/1.txt'), "DIR/cow' has no images"),
    (('val/cat/1.png', 'test/cat/1.png'), "DIR' has 'test', 'val' but no tr"),
    (('test/cat/1.png', 'test/dog/1.png'), "DIR' has 'test' but no train"),
    ((*SPLIT, 'extra/a/1.png'), "DIR' has 'extra' beside the split folder 't"),
    ((*FLAT, 'train/1.png'), "DIR' has 'cat' beside the split folder 'train'"),
    ((*SPLIT, 'test/'), "DIR/test' has no class folders"),
    ((*SPLIT, 'test/1.png'), "DIR/test' has no class folders"),
    ((*SPLIT, 'test/cat/'), "DIR/test' has no images"),
    ((*SPLIT, 'test/cow/1.png'), "class that train does not have: 'cow'"),
    ((*SPLIT, 'valid/cat/1.png'), "two folders for the split 'validation': "),
    (('train/a/cat/1.png', 'val/a/cat/1.png'), "DIR/train/a' is the only cl"),
    ((*FLAT, 'a\nb/1.png'), r"a class folder 'a\nb': a name is one line of U"),
    ((*FLAT, ' a/1.png'), "a class folder ' a'"),
    ((*FLAT, os.fsdecode(b'\xff/1.png')), r"a class folder '\udcff'"),
  ],
  ids=lambda value: value if isinstance(value, str) else ascii(value),
)
def test_other_layouts_are_one_line(tmp_path, monkeypatch, paths, says):
  monkeypatch.chdir(tmp_path)
  write_files(tmp_path / 'DIR', *paths)
  (tmp_path / 'DIR').mkdir(exist_ok=True)
  with pytest.raises(UsageError) as error:
    load_dataset('folder:DIR')
  message = str(error.value)
  assert message.startswith("'DIR") and says in message
  assert '\n' not in message and message.isprintable()
  assert 'Allowed are DIR/CLASS/*.jpg, or DIR/train/CLASS/*.jpg' in message
  assert message.endswith(' (config.data.name).')
  with pytest.raises(UsageError) as error:
    FolderDataset('DIR', 'a.zip', '--folder')
  assert str(error.value).startswith("'a.zip")
  assert str(error.value).endswith(' (--folder).')


def test_a_class_may_have_the_name_of_a_split(tmp_path):
  write_files(tmp_path, 'train/train/1.png', 'train/car/1.png')
  write_files(tmp_path, 'test/train/1.png')
  assert FolderDataset(str(tmp_path)).info.class_names == ('car', 'train')


def test_what_is_no_folder_is_said(tmp_path, monkeypatch):
  def says(path):
    with pytest.raises(UsageError) as error:
      load_dataset(f'folder:{path}')
    return str(error.value)

  (tmp_path / 'a.zip').touch()
  assert 'prepare_data --folder' in says(tmp_path / 'a.zip')
  assert says(tmp_path / 'none').startswith('No folder ')
  bad = os.fsdecode(os.fsencode(tmp_path) + b'/\xff')
  os.mkdir(bad)
  assert 'is not one line of UTF-8' in says(bad)
  monkeypatch.setenv('HOME', str(tmp_path))
  write_files(tmp_path / 'mine', *FLAT)
  assert len(load_dataset('folder:~/mine').split('train')) == 2


def test_links_are_followed(tmp_path):
  write_files(tmp_path / 'far', 'cow/deep/1.png', '2.png')
  write_files(tmp_path / 'DIR', *FLAT)
  (tmp_path / 'DIR/cow').symlink_to('../far/cow')
  (tmp_path / 'DIR/dog/far').symlink_to('../../far/cow')
  (tmp_path / 'DIR/dog/2.png').symlink_to(tmp_path / 'far/2.png')
  assert splits_of(tmp_path / 'DIR') == {
    'train': [
      *('cat/1.png', 'cow/deep/1.png'),
      *('dog/1.png', 'dog/2.png', 'dog/far/deep/1.png'),
    ]
  }


def loop_up(root):
  (root / 'cat/deep').mkdir()
  (root / 'cat/deep/up').symlink_to('../../..')
  return 'cat/deep/up'


def loop_by_two(root):
  (root / 'cat/a').symlink_to('../dog')
  (root / 'dog/b').symlink_to('../cat')
  return 'cat/a/b'


def loop_to_itself(root):
  (root / 'cat/x').symlink_to('x')
  return 'cat/x'


def broken_link(root):
  (root / 'cat/2.png').symlink_to('none.png')
  return 'cat/2.png'


def broken_class(root):
  (root / 'cow').symlink_to('none')
  return 'cow'


def pipe(root):
  os.mkfifo(root / 'dog/2.png')
  return 'dog/2.png'


@pytest.mark.parametrize(
  'make',
  [loop_up, loop_by_two, loop_to_itself, broken_link, broken_class, pipe],
)
def test_what_cannot_be_read_is_named(tmp_path, make):
  root = tmp_path / 'DIR'
  write_files(root, *FLAT)
  name = make(root)
  with pytest.raises(ResflaxError) as error:
    FolderDataset(str(root), 'a.zip')
  assert f"'a.zip/{name}" in str(error.value)
  assert error.value.exit_code in (4, 5) and '\n' not in str(error.value)


@pytest.mark.parametrize('name', ['.', 'cat', 'cat/deep'])
def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch, name):
  write_files(tmp_path, *FLAT, 'cat/deep/1.png')
  scandir = os.scandir

  def denied(path):
    if os.path.normpath(path) == os.path.normpath(tmp_path / name):
      raise PermissionError(errno.EACCES, 'Permission denied')
    return scandir(path)

  monkeypatch.setattr(os, 'scandir', denied)
  shown = os.path.normpath(f'DIR/{name}')
  with pytest.raises(DataError, match=f"Cannot read '{shown}': Permission d"):
    FolderDataset(str(tmp_path), 'DIR')
