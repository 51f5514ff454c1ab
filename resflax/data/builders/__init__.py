"""Data sets that come with resflax: TFDS builders without TensorFlow."""

import importlib

BUNDLED = {'digits': 'resflax.data.builders.digits'}


def prepare_bundled(name: str, data_dir: str) -> None:
  """Writes a bundled data set to disk, unless it is there."""
  importlib.import_module(BUNDLED[name]).prepare(data_dir)
