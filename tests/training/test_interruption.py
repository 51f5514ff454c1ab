"""Signals, within steps and elsewhere."""

import signal
import threading
import time

import pytest

from resflax.errors import PreemptedError
from resflax.training.interruption import preemptible

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers():
  """As in a program of one's own, and as before in the end."""
  before = {number: signal.getsignal(number) for number in SIGNALS}
  signal.signal(signal.SIGINT, signal.default_int_handler)
  yield before
  for number, handler in before.items():
    signal.signal(number, handler)


@pytest.mark.parametrize('number', SIGNALS)
def test_elsewhere_it_ends_at_once(number):
  with pytest.raises(PreemptedError, match='nothing to save'), preemptible():
    signal.raise_signal(number)
    pytest.fail('went on')
  assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
  assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize('number', SIGNALS)
def test_among_steps_it_is_a_wish_and_the_second_acts(number):
  with (
    pytest.raises(KeyboardInterrupt),
    preemptible() as interruption,
    interruption.awaited() as interrupted,
  ):
    assert not interrupted()
    signal.raise_signal(number)
    assert interrupted()
    # A second SIGTERM would end the tests as well.
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.raise_signal(signal.SIGINT)
    pytest.fail('went on')


def test_in_a_command_the_second_ends_the_process():
  signal.signal(signal.SIGINT, lambda number, frame: None)
  with (
    pytest.raises(PreemptedError),
    preemptible() as interruption,
    interruption.awaited(),
  ):
    signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_a_wish_that_nobody_saw_ends_what_follows():
  with pytest.raises(PreemptedError), preemptible() as interruption:
    with interruption.awaited():
      signal.raise_signal(signal.SIGTERM)
    pytest.fail('went on')


def test_other_errors_pass():
  with (
    pytest.raises(ValueError, match='mine'),
    preemptible() as interruption,
    interruption.awaited(),
  ):
    raise ValueError('mine')


def test_another_thread_leaves_signals_alone():
  found = []

  def other():
    with preemptible() as interruption, interruption.awaited() as interrupted:
      found.append((interrupted(), signal.getsignal(signal.SIGINT)))

  thread = threading.Thread(target=other)
  thread.start()
  thread.join()
  assert found == [(False, signal.default_int_handler)]


class Deaf:
  """Its destructor drops what it is interrupted by, as Python does."""

  def __del__(self):
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.1)


def test_what_python_drops_is_raised_again():
  with pytest.raises(PreemptedError), preemptible():
    deaf = Deaf()
    del deaf
    time.sleep(10)
    pytest.fail('went on')
