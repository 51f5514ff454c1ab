"""Compilation ahead, in a thread."""

import threading
import time

import pytest

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
