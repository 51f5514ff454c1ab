"""A run over three processes, of which one has trouble: `pytest --faults`."""

import signal
import time

import pytest

from tests.faults.running import is_saving, newest, together

pytestmark = pytest.mark.faults
COUNT = 3
HEARTBEAT_S = 10  # see `together`
FLAGS = '--config.batch_size=12'


def in_a_step(main, start):
  main.until_step(start + 5)


def in_a_save(main, start):
  main.until(lambda: main.steps and is_saving(main.workdir))


# The signal to one of them, and the exit codes and seconds of the others. JAX's
# runtime aborts (-6) where it is faster than our line.
STOPS = (42,), 60
LOST = (75, -signal.SIGABRT), HEARTBEAT_S + 5


@pytest.mark.parametrize(
  ('fault', 'victims', 'when', 'number', 'codes', 'seconds'),
  [
    ('SIGTERM to one of three', (0, 1, 2), in_a_step, signal.SIGTERM, *STOPS),
    ('kill -9 of one of three', (1, 2), in_a_step, signal.SIGKILL, *LOST),
    ('kill -9 of one in a save', (1, 2), in_a_save, signal.SIGKILL, *LOST),
    ('kill -9 of the main one', (0, 0), in_a_step, signal.SIGKILL, LOST[0], 2),
    ('SIGSTOP of one of three', (1,), in_a_step, signal.SIGSTOP, *LOST),
  ],
)
def test_one_of_three(
  fault, victims, when, number, codes, seconds, tmp_path, cache, three, row
):
  row, start, done, run = row(fault), 0, 0, tmp_path / 'run'
  for index in victims:
    with together(run, COUNT, FLAGS, cache=cache) as lives:
      main, victim = lives[0], lives[index]
      when(main, start)
      began = time.monotonic()
      victim.send(number)
      for life in lives:
        if life is not victim:
          assert life.wait() in codes, life.log
      assert time.monotonic() - began < seconds
      if number == signal.SIGTERM:
        assert victim.wait() == 42
    row.injected += 1
    if done:
      resumed(row, main, done, start)
    done, start = main.steps[-1], newest(run)
    assert number != signal.SIGTERM or start == done
  with together(run, COUNT, FLAGS, cache=cache) as lives:
    assert [life.wait() for life in lives] == [0] * COUNT, lives[0].log
  resumed(row, lives[0], done, start)
  assert lives[0].digest == three
  row.survived += len(victims)


def test_a_slow_reader(tmp_path, cache, three, row):
  """The others wait longer than a heartbeat, and take nobody for dead."""
  row, run = row('a slow reader, one of three'), tmp_path / 'run'
  modules = ['scripts.train', 'tests.faults.slow_program', 'scripts.train']
  with together(run, COUNT, FLAGS, modules=modules, cache=cache) as lives:
    began = time.monotonic()
    assert [life.wait() for life in lives] == [0] * COUNT, lives[0].log
  assert time.monotonic() - began > 2 * HEARTBEAT_S  # it was slow indeed
  assert lives[0].digest == three
  row.injected += 1
  row.survived += 1


def resumed(row, main, done, start):
  """Notes what a start after a fault found."""
  assert main.steps[0] == start + 1
  row.lost.append(done - start)
  row.seconds.append(main.first)


@pytest.fixture(scope='module')
def three(cache, tmp_path_factory):
  """The digest of a run to which nothing happened."""
  workdir = tmp_path_factory.mktemp('three') / 'run'
  with together(workdir, COUNT, FLAGS, cache=cache) as lives:
    assert [life.wait() for life in lives] == [0] * COUNT, lives[0].log
  return lives[0].digest
