"""Data sets that come with resflax: TFDS builders without TensorFlow."""

import importlib

BUNDLED = {'digits': 'resflax.data.builders.digits'}


def is_bundled(name: str) -> bool:
  """Whether `name`, which may end in `:version`, comes with resflax."""
  return name.partition(':')[0] in BUNDLED


def prepare_bundled(name: str, data_dir: str) -> None:
  """Writes a bundled data set to disk, unless it is there."""
  importlib.import_module(BUNDLED[name.partition(':')[0]]).prepare(data_dir)
