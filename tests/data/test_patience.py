"""Storage that fails for a while, and storage that does not come back."""

import errno

import pytest

from resflax.data import patience
from resflax.data.patience import is_transient, patiently
from resflax.data.records import read_each
from resflax.errors import DataError, StorageError
from tests.data.files import Files


def failing(times, error):
  """A read that fails so often before it succeeds, and the attempts."""
  attempts = []

  def read():
    attempts.append(len(attempts))
    if len(attempts) <= times:
      raise error
    return 'content'

  return read, attempts


SLOW = OSError(errno.EIO, 'Input/output error')


@pytest.fixture(autouse=True)
def waited(monkeypatch):
  waited = []
  monkeypatch.setattr(patience.time, 'sleep', waited.append)
  return waited


@pytest.mark.parametrize('times', range(5))
def test_it_waits_longer_each_time(times, waited, capsys):
  read, attempts = failing(times, SLOW)
  assert patiently(read, 'shard 7') == 'content'
  assert len(attempts) == times + 1
  assert waited == list(patience.DELAYS[:times])
  said = capsys.readouterr().err.splitlines()
  assert len(said) == times
  assert all('cannot read shard 7: [Errno 5]' in line for line in said)


def test_storage_that_stays_away_ends_the_run(waited):
  read, attempts = failing(99, SLOW)
  with pytest.raises(StorageError, match='Cannot read shard 7.*5 attempts'):
    patiently(read, 'shard 7')
  assert len(attempts) == 5 and waited == list(patience.DELAYS)


@pytest.mark.parametrize(
  ('error', 'transient'),
  [
    (SLOW, True),
    (OSError(errno.ESTALE, 'Stale file handle'), True),
    (TimeoutError('timed out'), True),
    (ConnectionResetError(errno.ECONNRESET, 'reset'), True),
    (RuntimeError('UNAVAILABLE: gs://bucket: 503'), True),
    (FileNotFoundError(errno.ENOENT, 'gone'), False),
    (PermissionError(errno.EACCES, 'no'), False),
    (RuntimeError('DATA_LOSS: Corrupted Riegeli/records file'), False),
    (DataError('PNG is damaged'), False),
    (ValueError('503'), False),
  ],
)
def test_what_may_pass_and_what_will_not(error, transient, waited):
  assert is_transient(error) == transient
  if not transient:
    read, attempts = failing(1, error)
    with pytest.raises(type(error)):
      patiently(read, 'shard 7')
    assert len(attempts) == 1 and not waited


class Flaky(Files):
  """Whose storage fails at some reads."""

  fails = 0

  def __getitem__(self, index):
    if self.fails:
      self.fails -= 1
      raise SLOW
    return super().__getitem__(index)


def test_an_example_is_not_bad_because_its_storage_failed():
  flaky = Flaky(4)
  flaky.fails = 3
  assert read_each(flaky, [0, 1]) == [Files(4)[0], Files(4)[1]]
  flaky.fails = 99
  with pytest.raises(StorageError, match='example 0 of files'):
    read_each(flaky, [0, 1])
