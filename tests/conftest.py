"""Strict JAX for every test, and one tiny run for those that need a folder."""

import os
import pathlib
from typing import NamedTuple

import cv2
import jax
import numpy as np
import pytest

from resflax.aot import libtpu
from resflax.training.environment import use_compilation_cache

libtpu.pretend()  # before JAX looks for devices
jax.config.update('jax_numpy_rank_promotion', 'raise')
# Many tests compile the same programs. One folder for each of pytest-xdist's
# workers, for JAX reads what another process has half written.
WORKER = os.environ.get('PYTEST_XDIST_WORKER', 'main')
use_compilation_cache(
  str(pathlib.Path.home() / '.cache' / 'resflax' / f'tests-{WORKER}')
)


def pytest_addoption(parser):
  parser.addoption(
    '--parity',
    action='store_true',
    help='compare every pair of tests/parity, RS-420 among them',
  )
  parser.addoption(
    '--faults',
    action='store_true',
    help='kill and damage runs many times over, and print what came of it',
  )


def pytest_collection_modifyitems(config, items):
  """Leaves out what takes long and has to be asked for."""
  left = [m for m in ('parity', 'faults') if not config.getoption(f'--{m}')]
  left_out = [x for x in items if any(map(x.get_closest_marker, left))]
  config.hook.pytest_deselected(items=left_out)
  items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def key():
  return jax.random.key(0)


@pytest.fixture
def write_image():
  """A function that writes an image file of one colour."""

  def write(path, colour=(10, 120, 200), size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    pixels = np.full((height, width, len(colour)), colour, np.uint8)
    assert cv2.imwrite(str(path), pixels[..., ::-1])

  return write


class TinyRun(NamedTuple):
  """A finished run of `configs/digits.py:runlocal`, not to be written to."""

  workdir: pathlib.Path
  data_dir: str


@pytest.fixture(scope='session')
def tiny_run(tmp_path_factory) -> TinyRun:
  from configs.digits import get_config
  from resflax.training.trainer import train

  folder = tmp_path_factory.mktemp('tiny')
  config = get_config('runlocal')
  config.data.data_dir = str(folder / 'data')
  config.writers = ()
  train(config, folder / 'run')
  return TinyRun(folder / 'run', config.data.data_dir)
