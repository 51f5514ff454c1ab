"""What Grain needs in a test."""

import pytest
from absl import flags


@pytest.fixture(scope='session', autouse=True)
def parsed_flags():
  """Grain's worker processes are started with this process's flags."""
  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()
