"""Where the time of a run goes."""

import itertools
import time

import pytest

from resflax.goodput import told
from resflax.training.ledger import Ledger


@pytest.fixture
def seconds(monkeypatch):
  """A clock that goes on by a second whenever it is looked at."""
  ticks = itertools.count()
  monkeypatch.setattr(time, 'monotonic', lambda: float(next(ticks)))


def test_every_second_is_on_one_account(seconds):
  ledger = Ledger()  # at 0
  with ledger.on('step'):  # at 1
    with ledger.on('data'):  # at 2 to 3
      pass
    ledger.beat()  # at 4
  # At 5 back to the set-up, at 6 asked.
  assert ledger.seconds() == {'setup': 1 + 1, 'step': 1 + 1 + 1, 'data': 1}
  assert ledger.visits == 5


def test_an_error_leaves_the_account(seconds):
  ledger = Ledger()
  with pytest.raises(KeyError), ledger.on('save'):
    raise KeyError
  assert ledger.account == 'setup'


def test_restarts_are_added_up(seconds):
  ledger = Ledger()
  ledger.go_on({'step': 50.0, 'setup': 7.0})
  ledger.add('lost', 3.0)
  assert ledger.seconds() == {'step': 50, 'setup': 8, 'lost': 3}


def test_told_in_shares_of_what_is_on_the_clock():
  line = told(
    {'step': 75.0, 'setup': 20.0, 'lost': 5.0, 'compile_hidden': 30.0}
  )
  assert line == (
    '100.0 s: training steps 75.0%, set-up and report 20.0%, steps lost to '
    'restarts 5.0%; 30.0 s of compilation hidden'
  )
