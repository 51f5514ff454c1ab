"""Every config: loads, resolves, and trains as `runlocal`."""

import pathlib
import sys

import numpy as np
import pytest

from configs.base import base_config
from resflax import schema
from resflax.training.trainer import train

ROOT = pathlib.Path(__file__).parent.parent
CONFIGS = sorted(
  path
  for path in (ROOT / 'configs').rglob('*.py')
  if path.stem not in ('base', '__init__') and path.parent.name != 'sweeps'
)


def get_config(path, arg):
  name = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
  __import__(name)
  return sys.modules[name].get_config(arg)


def argument(path, tmp_path):
  """`runlocal`, and a folder of class folders for the config that takes one."""
  if path.stem != 'folder':
    return 'runlocal'
  import cv2

  folder = tmp_path / 'my,own=pictures'
  noise = np.random.default_rng(0)
  for name in ('cat', 'dog'):
    (folder / name).mkdir(parents=True)
    for i in range(12):
      image = noise.integers(0, 256, (20, 24, 3), np.uint8)
      assert cv2.imwrite(str(folder / name / f'{i}.png'), image)
  return f'{folder},runlocal'


def test_base_config_is_the_schema_locked_and_typed():
  config = base_config()
  assert set(dict(schema.flat(config.to_dict()))) == set(schema.FIELDS)
  with pytest.raises(AttributeError):
    config.typo = 1
  with pytest.raises(TypeError):
    config.model.width = 'wide'


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_config_opens_with_its_command(path, tmp_path):
  source = path.read_text()
  command = f'--config={path.relative_to(ROOT)}'
  assert command in source.split('"""')[1]
  config = get_config(path, argument(path, tmp_path))
  assert config.is_locked
  schema.complete(config.to_dict())


def test_own_pictures_may_be_prepared_or_not(tmp_path):
  path = ROOT / 'configs/folder.py'
  folder = get_config(path, f'{tmp_path},variant=resnet18')
  named = get_config(path, 'name=mine,variant=resnet18')
  assert folder.data.name == f'folder:{tmp_path}'
  with named.unlocked():
    assert named.data.name == 'mine'
    named.data.name = folder.data.name
  assert named.to_dict() == folder.to_dict()


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_config_trains_as_runlocal(path, tmp_path):
  config = get_config(path, argument(path, tmp_path))
  result = train(config, tmp_path / 'run')
  assert int(result.state.step) == 4
  assert result.evaluation.count > 0
  assert np.isfinite(result.evaluation.loss)
  assert result.report.exists()
