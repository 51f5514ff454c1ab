"""The training step of a config, compiled for a pod that is not here."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from resflax.data.described import IMAGENET, DescribedDataset
from resflax.errors import DataError

COMMAND = (
  *(sys.executable, '-m', 'scripts.aot', '--topology=v5e:2x2', '--json'),
  '--config=configs/imagenet/resnet.py:resnet_rs_50,batch=64',
  '--config.model.depths=(1,1,1,1)',
  '--config.model.width=0.25',
  '--config.model.norm.momentum=0.9',
)


def aot(*arguments):
  return subprocess.run(
    (*COMMAND, *arguments),
    capture_output=True,
    text=True,
    timeout=300,
    env={**os.environ, 'JAX_PLATFORMS': 'cpu'},
  )


def test_a_description_can_be_counted_and_not_read():
  records = DescribedDataset(IMAGENET).split('train[:98%]')
  assert len(records) == 1255544
  with pytest.raises(DataError, match='imagenet2012 .* is a description'):
    records[0]


@pytest.mark.slow
@pytest.mark.skipif(
  importlib.util.find_spec('libtpu') is None,
  reason="libtpu is not installed: pip install -e '.[tpu]'",
)
def test_every_stage_of_a_run_on_a_pod():
  out = aot(
    '--config.resolution.schedule=linear',
    '--config.resolution.start=32',
    '--config.resolution.train=64',
    '--config.resolution.stages=2',
    '--config.model.norm.group_size=16',
  )
  assert out.returncode == 0, out.stderr
  rows = [json.loads(line) for line in out.stdout.splitlines()]
  assert [(r['program'], r['resolution']) for r in rows] == [
    *(('train', 32), ('train', 64), ('eval', 64)),
  ]
  small, large, _ = rows
  assert small['images'] == 16 and small['estimate'] is True
  assert 0 < small['cycles'] < large['cycles']
  assert 0 < small['bytes'] < large['bytes']
  assert 0 < large['peak_bytes'] < 2**30
  # Whole groups on each chip: gradients and metrics are all that is summed.
  assert sum(large['collectives'].values()) <= 3
  assert large['steps'] + small['steps'] == round(90 * 1255544 / 64)


def test_libtpu_missing_is_one_line():
  if importlib.util.find_spec('libtpu') is not None:
    pytest.skip('libtpu is installed')
  out = aot()
  assert out.returncode == 5
  assert out.stderr.splitlines()[-1].startswith(
    'error: Compiling for a TPU needs libtpu'
  )
