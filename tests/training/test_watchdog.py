"""A main thread that stays too long at one thing is noticed, and no other."""

import queue
import time

import pytest

from resflax.training.ledger import Ledger
from resflax.training.watchdog import Watchdog

LIMIT = 0.2


@pytest.fixture
def watched():
  """Returns `(ledger, ended)` of watchdogs with the limits given."""
  dogs = []

  def make(**limits):
    ledger, ended = Ledger('step'), queue.Queue()
    said = lambda: ended.put('last words')  # noqa: E731
    dogs.append(Watchdog(ledger, limits, said, end=ended.put))
    return ledger, ended

  yield make
  for dog in dogs:
    dog.close()


def test_a_hang_is_told_with_all_stacks(watched, capfd):
  _, ended = watched(step=LIMIT)
  assert ended.get(timeout=10) == 'last words'
  assert ended.get(timeout=10) == 75
  err = capfd.readouterr().err
  assert 'error: nothing went on for 0 s (training steps, ' in err
  assert 'config.watchdog.step)' in err
  assert 'test_a_hang_is_told_with_all_stacks' in err  # a frame of the main one


def test_what_goes_on_is_left_alone(watched):
  ledger, ended = watched(step=LIMIT)
  for _ in range(30):
    ledger.beat()
    time.sleep(LIMIT / 10)
  assert ended.empty()


def test_other_accounts_have_other_limits(watched):
  ledger, ended = watched(step=LIMIT, evaluate=0.0)
  with ledger.on('evaluate'):
    time.sleep(3 * LIMIT)
  assert ended.empty()


def test_slow_steps_are_no_hang(watched):
  ledger, ended = watched(step=LIMIT)
  time.sleep(0.7 * LIMIT)
  ledger.beat()
  time.sleep(2 * LIMIT)  # not ten times that
  assert ended.empty()
