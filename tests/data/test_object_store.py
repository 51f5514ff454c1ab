"""Data sets on gs://, read without TensorFlow from a bucket on localhost."""

import fsspec
import numpy as np
import pytest

from resflax.data import names, prepared
from resflax.data.augment import Augment
from resflax.data.pipeline import eval_batches, train_batches
from resflax.data.records import read, read_each
from resflax.data.sources import load_dataset
from resflax.errors import DataError, StorageError, UsageError
from resflax.resolution import Stage
from tests.data.object_store import ObjectStore

DATA = 'gs://bucket/data'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
  root = tmp_path_factory.mktemp('store')
  load_dataset('digits', str(root / 'bucket' / 'data'))
  return root


@pytest.fixture(scope='module')
def store(root):
  """One for the module: etils keeps the file system of the first one."""
  with pytest.MonkeyPatch.context() as patch, ObjectStore(root) as store:
    patch.setenv('CLOUD_STORAGE_EMULATOR_ENDPOINT', store.url)  # array_record
    patch.setenv('STORAGE_EMULATOR_HOST', store.url)  # gcsfs
    # It would ask for the kind of bucket by gRPC, and for credentials.
    patch.setenv('GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT', 'false')
    patch.setitem(fsspec.config.conf, 'gcs', {'token': 'anon'})
    yield store


@pytest.fixture
def encoded(monkeypatch):
  """As large sets are: not kept in memory, so that every read is seen."""
  monkeypatch.setattr(prepared, 'KEEP_BYTES', 0)


@pytest.fixture
def both(root, store):
  """The data set from the bucket and from the local folder."""
  return (
    load_dataset('digits', DATA),
    load_dataset('digits', str(root / 'bucket' / 'data')),
  )


def assert_equal(ours, theirs):
  ours, theirs = list(ours), list(theirs)
  assert len(ours) == len(theirs) > 0
  for one, other in zip(ours, theirs, strict=True):
    assert one.keys() == other.keys()
    for key in one:
      np.testing.assert_array_equal(one[key], other[key])


def shard_reads(store):
  """How often shards were read since the last call."""
  reads = [name for name, _ in store.reads if 'array_record' in name]
  store.reads.clear()
  return len(reads)


def test_every_example_is_the_local_one(both):
  remote, local = both
  assert remote.info == local.info
  for spec in ('train', 'test', 'train[10%:]'):
    records = [data.split(spec) for data in both]
    assert_equal(*(read(r, range(len(r))) for r in records))


@pytest.mark.usefixtures('encoded')
def test_encoded_examples_are_the_local_ones(both):
  ours, theirs = (data.split('test') for data in both)
  assert isinstance(ours[0]['image'], bytes)
  for indices in (range(360), [5, 3, 3, 359, 0]):
    assert read(ours, indices) == read(theirs, indices)


@pytest.mark.usefixtures('encoded')
def test_lanes_read_a_hundredth_as_often(both, store):
  reads = {}
  for shuffle in ('global', 'lanes'):
    shard_reads(store)
    # 3 steps of 479 are an epoch.
    ours, theirs = (
      train_batches(
        data.split('train'),
        **dict(seed=0, batch_size=479, stages=(Stage(0, 8),), start=0, stop=3),
        **dict(augment=Augment(), channels=1, shuffle=shuffle),
      )
      for data in both
    )
    assert_equal(ours, theirs)
    reads[shuffle] = shard_reads(store)
  # Some examples are next to each other by chance; the file was open.
  assert reads['global'] >= 1437
  # 12 windows, and opening the file for ranges.
  assert reads['lanes'] == 13 <= reads['global'] / 100


@pytest.mark.usefixtures('encoded')
def test_evaluation_reads_in_order_and_so_at_once(both, store):
  shard_reads(store)
  ours, theirs = (
    eval_batches(
      data.split('test'), batch_size=90, resolution=8, crop=1.0, channels=1
    )
    for data in both
  )
  assert_equal(ours, theirs)
  # Four batches, opening the file for ranges, and its number of records.
  assert shard_reads(store) == 6


def test_a_set_that_is_not_there_is_not_written_there(store):
  with pytest.raises(prepared.NotPreparedError) as error:
    load_dataset('digits', 'gs://bucket/empty')
  assert str(error.value) == (
    'digits is not prepared in gs://bucket/empty. Prepare it: python -m '
    'scripts.prepare_data --dataset=digits --data_dir=DIR, then gcloud storage '
    'cp -r DIR/* gs://bucket/empty'
  )
  with pytest.raises(UsageError, match="Did you mean 'digits'"):
    load_dataset('digist', DATA)


@pytest.mark.parametrize('status', [401, 403])
def test_a_bucket_that_may_not_be_read(store, monkeypatch, status, caplog):
  monkeypatch.setattr(store, 'status', status)
  with pytest.raises(StorageError) as error:
    load_dataset('digits', f'gs://closed{status}/data')
  said = str(error.value)
  assert said.startswith(f'Cannot read gs://closed{status}/data: ')
  assert said.endswith('(config.data.data_dir).') and '\n' not in said
  assert not caplog.records  # gcsfs would log a traceback


@pytest.mark.usefixtures('encoded')
def test_a_shard_that_is_gone_is_named(both, root):
  shard = (
    root / 'bucket/data/digits/1.0.0/digits-test.array_record-00000-of-00001'
  )
  records = load_dataset('digits', DATA).split('test')
  shard.rename(shard.with_name('moved'))
  try:
    found = read_each(records, range(20))
  finally:
    shard.with_name('moved').rename(shard)
  assert all(isinstance(example, DataError) for example in found)
  assert f'reading {DATA}/digits/1.0.0/{shard.name}' in str(found[0])


def test_without_gcsfs_an_error_says_what_to_install(monkeypatch):
  monkeypatch.setattr(names, 'find_spec', lambda name: None)
  with pytest.raises(
    UsageError, match=r'without gcsfs: pip install.*\.\[gcs\]'
  ):
    load_dataset('digits', DATA)


def test_other_stores_are_refused():
  with pytest.raises(UsageError, match='s3://bucket.*nor on gs://'):
    load_dataset('digits', 's3://bucket')
