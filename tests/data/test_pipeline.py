"""Batches of training: that nothing but seed and step changes them."""

import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from resflax.data.augment import Augment, uniforms
from resflax.data.memory import ArrayDataset
from resflax.data.order import example_ids
from resflax.data.pipeline import TrainStep, eval_batches, train_batches
from resflax.data.randaugment import RandAugment
from resflax.errors import DataError, UsageError
from resflax.resolution import Stage
from tests.data.files import Files, position_jpeg

STAGES = (Stage(0, 8), Stage(5, 12))
SLOW = pytest.mark.slow


def train(records, start=0, stop=8, **changes):
  settings = dict(
    seed=3,
    batch_size=8,
    stages=STAGES,
    augment=Augment(),
    channels=3,
  )
  return train_batches(records, start=start, stop=stop, **(settings | changes))


def assert_equal(ours, theirs):
  ours, theirs = list(ours), list(theirs)
  assert len(ours) == len(theirs)
  for one, other in zip(ours, theirs, strict=True):
    assert one.keys() == other.keys()
    for key in one:
      np.testing.assert_array_equal(one[key], other[key])


@pytest.fixture(scope='module')
def whole():
  """Eight steps over 21 examples: three epochs, and two resolutions."""
  return list(train(Files(21)))


def test_batches_are_uint8_at_the_resolution_of_their_stage(whole):
  for step, batch in enumerate(whole):
    side = 8 if step < 5 else 12
    assert batch['image'].shape == (8, side, side, 3)
    assert batch['image'].dtype == np.uint8
    assert batch['label'].shape == (8,) and batch['label'].dtype == np.int32


def test_labels_follow_the_order(whole):
  labels = np.concatenate([batch['label'] for batch in whole])
  assert labels.tolist() == [i for _, i in example_ids(3, 21, range(64))]
  for epoch in range(3):
    assert sorted(labels[epoch * 21 : (epoch + 1) * 21]) == list(range(21))


@pytest.mark.parametrize('start', [1, 4, 5, 7])
def test_any_step_may_be_the_first(whole, start):
  assert_equal(train(Files(21), start), whole[start:])
  assert_equal(train(Files(21), start, start + 1), whole[start : start + 1])


@pytest.mark.parametrize('count', [2, 4])
def test_shards_together_are_the_global_batch(whole, count):
  shards = [list(train(Files(21), shard=(i, count))) for i in range(count)]
  together = [
    {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    for parts in zip(*shards, strict=True)
  ]
  assert_equal(together, whole)


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 2, 4])
def test_workers_make_the_same_batches(whole, workers):
  assert_equal(train(Files(21), workers=workers), whole)
  assert_equal(train(Files(21), 3, workers=workers), whole[3:])


def test_epochs_and_seeds_see_other_crops():
  same = np.full((1, 40, 40, 3), 0, np.uint8)
  same[0] = np.arange(40)[:, None, None] + 3 * np.arange(40)[None, :, None]
  records = ArrayDataset({'train': (same, [0])}).split('train')
  crops = [
    batch['image'][0].tobytes()
    for seed in (0, 1)
    for batch in train(records, batch_size=1, stages=(Stage(0, 8),), seed=seed)
  ]
  assert len(set(crops)) == 16


def test_arrays_and_files_give_the_same_pixels(whole):
  files = Files(21)
  pixels = [
    cv2.imdecode(np.frombuffer(f, np.uint8), cv2.IMREAD_COLOR_RGB)
    for f in files.files
  ]
  arrays = ArrayDataset({'train': (pixels, range(21))}).split('train')
  assert_equal(train(arrays), whole)


@pytest.mark.parametrize('resolution', [16, 60, 100, 200])
def test_jpegs_that_are_decoded_small_show_the_same_crop(resolution):
  """A crop at 1/2, 1/4, 1/8 of the size is off by half a pixel there."""
  pixels, jpeg = position_jpeg()
  files = Files(1)
  files.files = [jpeg]
  arrays = ArrayDataset({'train': ([pixels], [0])}).split('train')
  changes = dict(batch_size=16, stages=(Stage(0, resolution),), stop=4)
  for small, full in zip(
    train(files, **changes), train(arrays, **changes), strict=True
  ):
    off = np.abs(small['image'].astype(int) - full['image'])
    assert off.max() <= 256 // resolution / 2 + 3  # 3 for JPEG itself


def test_one_channel(whole):
  grey = next(train(Files(21), channels=1))['image']
  assert grey.shape == (8, 8, 8, 1)
  weights = np.array([0.299, 0.587, 0.114])  # ITU-R 601
  want = (whole[0]['image'] * weights).sum(axis=-1, keepdims=True)
  assert np.abs(grey - want).max() <= 2


def test_a_bad_example_is_replaced_by_the_one_behind_it():
  """With the augmentation it would have had, and in its row alone."""
  damaged = Files(21, broken=[7, 8, 20])
  stands_for = {7: 9, 8: 9, 20: 0}
  wanted = Files(21)
  for index, other in stands_for.items():
    wanted.files[index] = wanted.files[other]
  for got, want in zip(train(damaged), train(wanted), strict=True):
    np.testing.assert_array_equal(got['image'], want['image'])
    labels = [stands_for.get(i, i) for i in want['label'].tolist()]
    assert got['label'].tolist() == labels
    bad = [i for i in want['label'].tolist() if i in stands_for]
    assert [example.index for example in got['bad']] == bad


@pytest.mark.parametrize(
  'changes',
  [{'start': 3}, {'shard': (1, 2)}, pytest.param({'workers': 2}, marks=SLOW)],
  ids=str,
)
def test_what_replaces_a_bad_example_depends_on_nothing_else(changes):
  damaged = Files(21, broken=[0, 7, 8])
  whole = list(train(damaged))
  rows = slice(4, 8) if 'shard' in changes else slice(None)
  start = changes.get('start', 0)
  for got, want in zip(train(damaged, **changes), whole[start:], strict=True):
    np.testing.assert_array_equal(got['image'], want['image'][rows])
    np.testing.assert_array_equal(got['label'], want['label'][rows])
    assert set(got['bad']) <= set(want['bad'])


def test_a_bad_example_says_where_and_what_it_is():
  damaged = Files(21, broken=[7])
  [bad] = {bad for batch in train(damaged) for bad in batch['bad']}
  size = len(damaged.files[7])
  assert bad == (
    7,
    'example 7 of files',
    f'PNG is damaged: it is truncated after {size} bytes',
  )
  assert bad.kind == 'PNG is damaged'


def test_where_nothing_can_be_used_the_run_ends():
  with pytest.raises(DataError) as error:
    list(train(Files(21, broken=range(21))))
  said = str(error.value)
  assert 'of files, nor the 16 examples behind it' in said
  assert 'PNG is damaged: it is truncated' in said
  assert said.endswith('scripts.prepare_data --verify.')


def test_evaluation_replaces_nothing():
  damaged = Files(21, broken=[7])
  with pytest.raises(DataError) as error:
    list(
      eval_batches(damaged, batch_size=8, resolution=8, crop=1.0, channels=3)
    )
  said = str(error.value)
  assert said.startswith('Cannot use example 7 of files: PNG is damaged: ')
  assert said.endswith('scripts.prepare_data --verify.')


def test_wrong_arguments_are_refused_before_the_first_batch():
  with pytest.raises(UsageError, match=r'config\.batch_size'):
    train(Files(4), batch_size=9, shard=(0, 2))
  with pytest.raises(UsageError, match='stages'):
    train(Files(4), stages=(Stage(1, 8),))


def within_seconds(true):
  deadline = time.perf_counter() + 10
  while not true() and time.perf_counter() < deadline:
    time.sleep(0.01)
  return true()


def test_threads_work_ahead_and_end_with_the_iterator():
  before = threading.active_count()
  files = Files(21)
  batches = train(files, stop=100)
  next(batches)
  assert within_seconds(lambda: files.reads >= 3 * 8)  # of three batches
  batches.close()
  # Those of other tests may have ended.
  assert within_seconds(lambda: threading.active_count() <= before)


def test_a_process_that_stops_early_exits():
  program = """
from tests.data.test_pipeline import Files, train
batches = train(Files(21, pause=0.01), stop=10**6)
next(batches)
"""
  subprocess.run([sys.executable, '-c', program], check=True, timeout=30)


def test_the_ids_of_a_step_can_be_asked(whole):
  step = TrainStep(Files(21), 3, 8, STAGES, Augment(), 3, (1, 2))
  ids = [i for _, i in step.example_ids(6)]
  assert ids == whole[6]['label'][4:].tolist()


def test_randaugment_is_done_to_the_crop(whole):
  randaugment = RandAugment(layers=2, magnitude=15.0)
  augment = Augment(randaugment=randaugment)
  files = Files(21)
  made = list(train(files, augment=augment))
  again = list(train(files, augment=augment, start=3))
  assert_equal(again, made[3:])
  step = TrainStep(files, 3, 8, STAGES, augment, 3, (0, 1))
  draws = uniforms(3, step.example_ids(6), augment.num_draws).tolist()
  for row, before, after in zip(
    draws, whole[6]['image'], made[6]['image'], strict=True
  ):
    want = randaugment(row[-8:], before)
    np.testing.assert_array_equal(after, want)
  assert (whole[6]['image'] != made[6]['image']).any()


def test_a_stages_strength_is_a_part_of_randaugments_magnitude():
  def images(magnitude, strength):
    augment = Augment(randaugment=RandAugment(layers=2, magnitude=magnitude))
    stages = (Stage(0, 8, strength), Stage(5, 8))
    step = TrainStep(Files(21), 3, 8, stages, augment, 3, (0, 1))
    return step(4)['image'], step(5)['image']

  (weak, strong), (half, _) = images(10, 0.5), images(5, 1.0)
  np.testing.assert_array_equal(weak, half)
  np.testing.assert_array_equal(strong, images(10, 1.0)[1])
  assert not np.array_equal(weak, images(10, 1.0)[0])


LARGER = (Stage(0, 8, batches=4), Stage(2, 12, batches=2), Stage(4, 16))


@pytest.mark.parametrize('shuffle', ['global', 'lanes'])
def test_steps_of_several_batches_take_each_position_once(shuffle):
  """21 examples, 4 + 4 + 2 + 2 + 1 + 1 batches of 8: whatever the steps."""
  files, settings = Files(21), {'shuffle': shuffle, 'augment': Augment()}
  made = list(train(files, stages=LARGER, stop=6, **settings))
  assert [len(b['label']) for b in made] == [32, 32, 16, 16, 8, 8]
  assert [b['image'].shape[1] for b in made] == [8, 8, 12, 12, 16, 16]
  one_each = list(train(files, stages=(Stage(0, 8),), stop=14, **settings))
  first = 0
  for batch in made:
    last = first + len(batch['label']) // 8
    labels = [b['label'] for b in one_each[first:last]]
    assert sorted(batch['label']) == sorted(np.concatenate(labels))
    first = last
  again = list(train(files, stages=LARGER, start=3, stop=6, **settings))
  assert_equal(again, made[3:])


@pytest.mark.parametrize('shuffle', ['global', 'lanes'])
def test_shards_of_several_batches_are_the_global_batch(shuffle):
  settings = {'stages': LARGER, 'stop': 6, 'shuffle': shuffle}
  whole = train(Files(21), **settings)
  shards = [train(Files(21), shard=(i, 4), **settings) for i in range(4)]
  for one, *parts in zip(whole, *shards, strict=True):
    for name in ('image', 'label'):
      together = np.concatenate([part[name] for part in parts])
      np.testing.assert_array_equal(together, one[name])
