"""Compilation ahead, in a thread."""

import threading
import time

import pytest

from resflax.errors import PreemptedError
from resflax.training.programs import Programs


def test_programs_are_made_in_order_by_one_thread():
  made = []

  def job(name):
    def make():
      made.append((name, threading.current_thread().name))
      return name.upper()

    return make

  programs = Programs({name: job(name) for name in 'abc'})
  assert [programs.get(name) for name in 'cab'] == ['C', 'A', 'B']
  assert [name for name, _ in made] == ['a', 'b', 'c']
  assert len({thread for _, thread in made}) == 1
  programs.close()


def test_hidden_and_exposed_seconds_add_up():
  programs = Programs({'a': lambda: time.sleep(0.2), 'b': lambda: None})
  time.sleep(0.1)  # the run does something else meanwhile
  programs.get('a')
  programs.get('b')
  assert 0.02 < programs.exposed_s < 0.19
  assert programs.hidden_s + programs.exposed_s == pytest.approx(0.2, abs=0.05)
  programs.close()


def test_an_error_comes_to_who_asks():
  def fail():
    raise RuntimeError('no such shape')

  programs = Programs({'bad': fail, 'good': lambda: 1})
  with pytest.raises(RuntimeError, match='no such shape'):
    programs.get('bad')
  assert programs.get('good') == 1
  programs.close()


def test_who_waits_can_be_interrupted():
  begun, goes_on = threading.Event(), threading.Event()

  def slow():
    begun.set()
    goes_on.wait(20)
    return 1

  programs = Programs({'slow': slow, 'next': lambda: 2})
  asked = []
  programs.heed(lambda: len(asked) == 2 or asked.append(begun.wait(20)))
  with pytest.raises(PreemptedError, match='while a program was compiled'):
    programs.get('slow')
  programs.heed(lambda: False)
  goes_on.set()
  assert programs.get('next') == 2  # the thread was not disturbed
  assert programs.get('slow') == 1  # nor is what is there refused
  programs.close()
