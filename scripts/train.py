r"""Trains a model and reports; goes on where the folder's run stopped.

  python -m scripts.train --config=configs/digits.py --workdir=/tmp/digits \
    [--config.optimizer.lr=0.05 ...]
"""

import shlex
import sys

from absl import flags
from ml_collections import config_flags

from resflax.errors import NotFiniteError, UsageError
from scripts.command import run
from scripts.hosts import join

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
WORKDIR = flags.DEFINE_string(
  'workdir', None, 'Folder of the run, local or gs://; none saves nothing.'
)
ALLOW_CHANGE = flags.DEFINE_list(
  'allow_change',
  [],
  'Config fields that may differ from those the folder was begun with, and '
  '`data` for the data set itself.',
)


def main(argv) -> None:
  """Trains."""
  del argv
  if CONFIG.value is None:
    raise UsageError('--config is missing: give --config=configs/digits.py.')
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.training.environment import use_compilation_cache
  from resflax.training.trainer import train

  join()
  use_compilation_cache()
  try:
    train(CONFIG.value, WORKDIR.value, allow_change=ALLOW_CHANGE.value)
  except NotFiniteError as error:
    command = shlex.join(['python', *sys.orig_argv[1:]])
    raise NotFiniteError(
      f'{error} To see which operation: JAX_DEBUG_NANS=true {command}'
    ) from error


if __name__ == '__main__':
  run(main)
