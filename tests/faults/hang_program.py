"""A run that hangs after its 20th step; see test_short.py, which starts it."""

import sys
import time

from resflax.training.trainer import train
from tests.faults.config import get_config


def hang(step, state, row):
  """Stays for ever."""
  if step == 20:
    time.sleep(3600)


config = get_config()
config.watchdog.step = 2.0
train(config, sys.argv[1], hooks=[hang])
