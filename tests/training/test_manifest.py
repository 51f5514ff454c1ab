"""A manifest finds every change of the files it names, and of itself."""

import os

import numpy as np
import pytest
from etils import epath

from resflax.training.manifest import (
  INCOMPLETE,
  NAME,
  damage,
  read_manifest,
  write_manifest,
)

METRICS = {'eval/top1': 0.25, 'eval/loss': 1.0}


@pytest.fixture
def step(tmp_path):
  folder = epath.Path(tmp_path / '8')
  (folder / 'state' / 'd').mkdir(parents=True)
  (folder / 'state' / 'd' / 'values').write_bytes(os.urandom(5000))
  (folder / 'meta').write_text('{"seconds": 1}')
  (folder / 'empty').write_bytes(b'')
  write_manifest(folder, METRICS)
  return folder


def test_what_was_written_is_intact(step):
  assert damage(step) is None
  manifest = read_manifest(step)
  assert manifest['metrics'] == METRICS
  assert set(manifest['files']) == {'state/d/values', 'meta', 'empty'}


def test_every_flipped_bit_is_found(step):
  """200 of them over the files and the manifest."""
  rng = np.random.default_rng(0)
  for path in ('state/d/values', 'meta', NAME):
    file = step / path
    content = file.read_bytes()
    for bit in rng.choice(8 * len(content), min(80, 8 * len(content)), False):
      flipped = bytearray(content)
      flipped[bit // 8] ^= 1 << bit % 8
      file.write_bytes(bytes(flipped))
      assert damage(step) == f'{path} is not what was written'
    file.write_bytes(content)
  assert damage(step) is None


@pytest.mark.parametrize('length', [0, 1, 4999])
def test_a_shorter_file_is_found(step, length):
  os.truncate(step / 'state/d/values', length)
  assert damage(step) == f'state/d/values has {length} bytes, not 5000'


def test_a_missing_file_is_found(step):
  (step / 'state').rmtree()
  assert damage(step) == 'state/d/values is missing'


def test_without_a_manifest_nothing_was_saved(step):
  (step / NAME).unlink()
  assert damage(step) == INCOMPLETE
  assert read_manifest(step) is None


def test_a_shortened_manifest_is_none(step):
  content = (step / NAME).read_bytes()
  for length in range(0, len(content), 7):
    (step / NAME).write_bytes(content[:length])
    assert read_manifest(step) is None
    assert damage(step) == f'{NAME} is not what was written'


def test_object_stores_are_believed(step, monkeypatch):
  """They keep checksums: sizes alone are compared, nothing is read."""
  monkeypatch.setattr('resflax.training.manifest._is_remote', lambda _: True)
  write_manifest(step, METRICS)
  monkeypatch.setattr('resflax.training.manifest._described', None)
  assert read_manifest(step)['files']['meta'] == {'bytes': 14}
  assert damage(step) is None
  (step / 'meta').write_text('')
  assert damage(step) == 'meta has 0 bytes, not 14'
