"""Evaluation batches: every example once, whole and from its centre."""

import numpy as np
import pytest

from resflax.data.memory import ArrayDataset
from resflax.data.pipeline import eval_batches
from tests.data.files import Files, position_jpeg


def test_evaluation_decodes_jpegs_whole():
  pixels, jpeg = position_jpeg()
  files = Files(1)
  files.files = [jpeg]
  arrays = ArrayDataset({'test': ([pixels], [0])}).split('test')
  settings = dict(batch_size=1, resolution=24, crop=0.9, channels=3)
  ours = next(eval_batches(files, **settings))['image'].astype(int)
  want = next(eval_batches(arrays, **settings))['image']
  assert np.abs(ours - want).max() <= 2


@pytest.mark.parametrize('shards', [1, 2, 4])
@pytest.mark.parametrize('size', [1, 7, 64, 103])
def test_evaluation_sees_every_example_once(size, shards):
  files = Files(size)
  batches = [
    list(
      eval_batches(
        files,
        batch_size=16,
        resolution=8,
        crop=0.875,
        channels=3,
        shard=(i, shards),
      )
    )
    for i in range(shards)
  ]
  assert {len(shard) for shard in batches} == {-(-size // 16)}
  seen = []
  for parts in zip(*batches, strict=True):
    for part in parts:
      assert part['image'].shape == (16 // shards, 8, 8, 3)
      assert part['mask'].dtype == bool
      seen += part['label'][part['mask']].tolist()
      assert not part['image'][~part['mask']].any()
      assert not part['label'][~part['mask']].any()
  assert seen == list(range(size))


def test_evaluation_takes_the_centre():
  image = np.random.default_rng(0).integers(0, 256, (1, 20, 32, 3), np.uint8)
  records = ArrayDataset({'test': (image, [0])}).split('test')
  batch = next(
    eval_batches(records, batch_size=1, resolution=16, crop=0.8, channels=3)
  )
  np.testing.assert_array_equal(batch['image'][0], image[0, 2:18, 8:24])
