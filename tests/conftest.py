"""Strict JAX for every test, and one tiny run for those that need a folder."""

import pathlib
from typing import NamedTuple

import jax
import pytest

from resflax.aot import libtpu

libtpu.pretend()  # before JAX looks for devices
jax.config.update('jax_numpy_rank_promotion', 'raise')


@pytest.fixture
def key():
  return jax.random.key(0)


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
