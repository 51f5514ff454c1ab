"""One uninterrupted run to compare with, and the table of the faults."""

import pathlib
from typing import NamedTuple

import pytest

from resflax.data.sources import load_dataset
from tests.faults.record import HEAD, Row
from tests.faults.running import Life

ROWS = pytest.StashKey[dict]()


@pytest.fixture(scope='session')
def cache(tmp_path_factory):
  """A folder for compiled programs that all runs share."""
  load_dataset('digits')  # a clean machine makes them once
  return str(tmp_path_factory.mktemp('programs'))


class Whole(NamedTuple):
  """A run to which nothing happened."""

  workdir: pathlib.Path
  digest: str


@pytest.fixture(scope='session')
def whole(cache, tmp_path_factory):
  """What the others are compared with; not to be written to."""
  workdir = tmp_path_factory.mktemp('whole') / 'run'
  with Life(workdir, cache=cache) as life:
    assert life.wait() == 0, life.log
  return Whole(workdir, life.digest)


@pytest.fixture
def row(pytestconfig):
  """A function that returns the row of a fault by its name."""
  rows = pytestconfig.stash.setdefault(ROWS, {})
  return lambda fault: rows.setdefault(fault, Row(fault))


def pytest_terminal_summary(terminalreporter, config):
  """Prints the table."""
  rows = config.stash.get(ROWS, {})
  if config.getoption('--faults') and rows:
    terminalreporter.section('faults')
    for line in (*HEAD, *(row.line() for row in rows.values())):
      terminalreporter.write_line(line)
