"""The training step of a config, compiled for a pod that is not here."""

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest

from resflax.aot.chips import devices_of
from resflax.data.described import IMAGENET, DescribedDataset
from resflax.errors import DataError, UsageError

COMMAND = (
  *(sys.executable, '-m', 'scripts.aot', '--topology=v5e:2x2', '--json'),
  '--config=configs/imagenet/resnet.py:resnet_rs_50,batch=64',
  '--config.model.depths=(1,1,1,1)',
  '--config.model.width=0.25',
  '--config.model.norm.momentum=0.9',
)


needs_libtpu = pytest.mark.skipif(
  importlib.util.find_spec('libtpu') is None,
  reason="libtpu is not installed: pip install -e '.[tpu]'",
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
@needs_libtpu
def test_every_stage_of_a_run_on_a_pod(tmp_path):
  page = tmp_path / 'pod.html'
  out = aot(
    f'--save={page}',
    '--config.resolution.schedule=linear',
    '--config.resolution.start=32',
    '--config.resolution.train=64',
    '--config.resolution.stages=2',
    '--config.model.norm.group_size=16',
  )
  assert out.returncode == 0, out.stderr
  text = re.sub(r'<[^>]+>', '', page.read_text())
  assert 'The whole run on 4 chips: 0.' in text
  rows = [json.loads(line) for line in out.stdout.splitlines()]
  assert [(r['program'], r['resolution']) for r in rows] == [
    *(('train', 32), ('train', 64), ('eval', 64)),
  ]
  small, large, _ = rows
  assert small['images'] == 16 and small['estimate'] is True
  assert 0 < small['cycles'] < large['cycles']
  # So small a net's activations stay on the chip; its state does not.
  assert min(small['bytes'], large['bytes']) > 10**7
  assert 0 < large['peak_bytes'] < 2**30
  held = large['held']
  assert held['batch'] == 16 * (64 * 64 * 3 + 4)
  # The RS models keep an average of what they train; here it is switched off.
  assert set(held) == {'variables', 'optimizer', 'batch', 'temporaries'}
  assert held['variables'] > held['optimizer'] > 10**6
  assert len(large['largest']) == 3
  # Whole groups on each chip: gradients and metrics are all that is summed.
  assert sum(large['collectives'].values()) <= 3
  assert large['steps'] + small['steps'] == round(90 * 1255544 / 64)


@pytest.mark.slow
@needs_libtpu
def test_what_does_not_fit_is_said_with_what_to_change():
  out = aot('--config.batch_size=65536', '--nojson')
  assert out.returncode == 1, out.stderr
  assert 'train 224 px: memory runs out' in out.stdout
  assert (
    'does not fit: try --config.model.remat=blocks or '
    '--config.batch_size=32768.'
  ) in out.stdout


@pytest.mark.slow
@needs_libtpu
def test_steps_of_equal_pixels_on_a_pod():
  out = aot(
    '--config.resolution.schedule=linear',
    '--config.resolution.batch=pixels',
    '--config.resolution.start=32',
    '--config.resolution.train=64',
    '--config.resolution.stages=2',
    '--config.model.norm.group_size=16',
  )
  assert out.returncode == 0, out.stderr
  small, large, _ = (json.loads(line) for line in out.stdout.splitlines())
  assert (small['images'], large['images']) == (4 * 16, 16)
  assert small['held']['batch'] == 4 * 16 * (32 * 32 * 3 + 4)
  batches = round(90 * 1255544 / 64)
  assert 4 * small['steps'] + large['steps'] == batches
  assert small['steps'] == batches // 2 // 4


def test_libtpu_missing_is_one_line(monkeypatch):
  monkeypatch.setitem(sys.modules, 'libtpu', None)
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(UsageError, match='Compiling for a TPU needs libtpu'):
    devices_of('v5e:2x2')


@needs_libtpu
def test_a_machine_without_a_tpu_hears_nothing_of_libtpu():
  """JAX asks libtpu for devices wherever it is installed."""
  code = (
    'from resflax.aot import libtpu; libtpu.pretend(); import jax; '
    'assert jax.devices()'
  )
  environment = {**os.environ}
  environment.pop('JAX_PLATFORMS', None)
  out = subprocess.run(
    (sys.executable, '-c', code),
    capture_output=True,
    text=True,
    timeout=120,
    env=environment,
  )
  assert (out.returncode, out.stderr) == (0, '')


def test_a_folder_for_the_page_that_is_missing_is_refused():
  out = aot('--save=/no/such/folder/page.html')
  assert out.returncode == 5
  assert 'the folder /no/such/folder is missing' in out.stderr
