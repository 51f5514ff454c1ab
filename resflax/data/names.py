"""Names of data sets, and where those that have one lie."""

import glob
import logging
import os
from importlib.util import find_spec

import tensorflow_datasets as tfds
from etils import epath

from resflax.data.builders import BUNDLED
from resflax.errors import UsageError, near_miss
from resflax.paths import absolute


class NotPreparedError(UsageError):
  """A known data set that is not on disk; the message says what to do."""


class UnknownNameError(UsageError):
  """No data set that TFDS knows or that is on disk; it may become one."""


def default_dir() -> str:
  """TFDS's own default, looked up when asked for and not at import."""
  return os.path.expanduser(
    os.environ.get('TFDS_DATA_DIR', '~/tensorflow_datasets')
  )


def prepare_command(name: str, data_dir: str) -> str:
  """The command that prepares a data set; without what is the default.

  Shards are written to a local folder only, so those of a bucket are copied.
  """
  command = f'python -m scripts.prepare_data --dataset={name}'
  if '://' in data_dir:
    return (
      f'{command} --data_dir=DIR, then gcloud storage cp -r DIR/* {data_dir}'
    )
  return command + (
    '' if data_dir == default_dir() else f' --data_dir={data_dir}'
  )


def check_name(name: str, data_dir: str) -> None:
  """Refuses a name that TFDS does not know.

  Raises:
    UnknownNameError: with the nearest name that is known or on disk.
  """
  known = [*tfds.list_builders(with_community_datasets=False), *BUNDLED]
  base = name.split('/')[0].split(':')[0]
  if base not in known:
    hint = near_miss(base, [*known, *_names_in(data_dir)])
    raise UnknownNameError(
      f'Unknown data set {name!r}.{hint} Give the name of a TFDS data set, of '
      f'one in {data_dir}, or folder:DIR (config.data.name).'
    )


def configs_of(pattern: str, data_dir: str | None = None) -> list[str]:
  """Returns the prepared configs that `NAME/*` stands for, or the name itself.

  Raises:
    UsageError: there are none.
  """
  name, separator, rest = pattern.partition('/*')
  if not separator or rest or '/' in name or ':' in name:
    return [pattern]
  data_dir = absolute(data_dir or default_dir())
  folders = sorted(epath.Path(data_dir).glob(f'{name}/*/*/dataset_info.json'))
  configs = dict.fromkeys(path.parent.parent.name for path in folders)
  if not configs:
    check_name(name, data_dir)
    raise UsageError(
      f'No config of {name} is prepared in {data_dir}: '
      f'{prepare_command(f"{name}/CONFIG", data_dir)}'
    )
  return [f'{name}/{config}' for config in configs]


def _names_in(data_dir: str) -> set[str]:
  """The data sets of a local folder, without configs and versions."""
  return {
    path.split(os.sep)[0]
    for below in ('*/*', '*/*/*')
    for path in glob.iglob(f'{below}/dataset_info.json', root_dir=data_dir)
  }


def check_store(data_dir: str) -> None:
  """Refuses what is neither local nor a bucket that can be read.

  Raises:
    UsageError: another store, or gcsfs is missing.
  """
  scheme, separator, _ = data_dir.partition('://')
  if separator and scheme != 'gs':
    raise UsageError(
      f'{data_dir} is neither a local folder nor on gs:// '
      '(config.data.data_dir).'
    )
  # One of them is how TFDS reads what lies beside the shards.
  if separator and not any(map(find_spec, ('gcsfs', 'tensorflow'))):
    raise UsageError(
      f"{data_dir} cannot be read without gcsfs: pip install -e '.[gcs]' "
      '(config.data.data_dir).'
    )
  # It logs tracebacks of what it raises as well.
  logging.getLogger('gcsfs').setLevel(logging.CRITICAL)
