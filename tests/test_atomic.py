"""A folder appears whole or not at all, whoever is interrupted."""

import os
import signal
import subprocess
import sys

import pytest

from resflax.atomic import unfinished_folder, whole_folder
from resflax.errors import StorageError


def write(path, name='file'):
  with whole_folder(str(path)) as folder:
    with open(os.path.join(folder, name), 'w') as file:
      file.write('x')
    assert not os.path.exists(path)


def test_it_appears_at_the_end_and_alone(tmp_path):
  write(tmp_path / 'a/b')
  assert os.listdir(tmp_path / 'a') == ['b']
  assert os.listdir(tmp_path / 'a/b') == ['file']


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError])
def test_nothing_stays_of_an_interrupted_one(tmp_path, error):
  with pytest.raises(error), whole_folder(str(tmp_path / 'c/a/b')) as folder:
    os.mkdir(os.path.join(folder, 'inside'))
    raise error
  assert not os.listdir(tmp_path)


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
  path = str(tmp_path / 'a/b')
  code = (
    'import os, resflax.atomic as atomic\n'
    f'with atomic.whole_folder({path!r}) as folder:\n'
    '  open(os.path.join(folder, "half"), "w").close()\n'
    '  os.kill(os.getpid(), 9)'
  )
  done = subprocess.run([sys.executable, '-c', code])
  assert done.returncode == -signal.SIGKILL
  left = sorted(os.listdir(tmp_path / 'a'))
  assert left == ['.b.incomplete', '.b.lock']
  write(path)
  assert os.listdir(tmp_path / 'a') == ['b']
  assert os.listdir(path) == ['file']


def test_where_it_is_to_go_on_what_is_there_stays(tmp_path):
  path = str(tmp_path / 'c/a/b')
  for name in ('one', 'two'):
    with pytest.raises(ValueError), whole_folder(path, resume=True) as folder:
      assert folder == unfinished_folder(path)
      os.mkdir(os.path.join(folder, name))
      raise ValueError
    assert os.listdir(tmp_path / 'c/a') == ['.b.incomplete']
  with whole_folder(path, resume=True):
    pass
  assert sorted(os.listdir(path)) == ['one', 'two']
  assert os.listdir(tmp_path / 'c/a') == ['b']


def test_the_second_of_two_processes_is_refused(tmp_path):
  path = str(tmp_path / 'a/b')
  busy = pytest.raises(StorageError, match=f'is writing {path}: wait')
  with whole_folder(path), busy:
    write(path)
  assert os.listdir(tmp_path / 'a') == ['b'] and not os.listdir(path)
  with pytest.raises(StorageError, match='is there already'):
    write(path)


def test_an_unwritable_place_is_one_line(tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(StorageError, match='Cannot write .*/b: Not a directory'):
    write(tmp_path / 'file/a/b')
