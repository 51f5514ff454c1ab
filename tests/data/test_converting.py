"""TFRecord copies become ArrayRecord, without a download."""

import os
import struct

import numpy as np
import pytest

from resflax.data import converting
from resflax.data.converting import convert
from resflax.data.sources import load_dataset
from resflax.data.verifying import verify
from resflax.errors import DataError, StorageError, UsageError


def write_tfrecord(path, records):
  """Writes TFRecords whose checksums are zero.

  Source: tensorflow.org, "TFRecord and tf.train.Example", TFRecords format.
  """
  with open(path, 'wb') as file:
    for record in records:
      file.write(struct.pack('<QI', len(record), 0) + record + bytes(4))


class FakeAdapter:
  """Reads what `write_tfrecord` wrote, as TFDS does with TensorFlow."""

  @staticmethod
  def make_tf_data(path):
    with open(path, 'rb') as file:
      while head := file.read(12):
        length, _ = struct.unpack('<QI', head)
        record = file.read(length + 4)
        if len(record) < length + 4:
          raise ValueError('truncated record')
        yield Tensor(record[:-4])


class Tensor:
  """A string tensor."""

  def __init__(self, value):
    self.numpy = lambda: value


@pytest.fixture
def old(tmp_path, monkeypatch):
  """Digits as a TFRecord copy, and something that reads it."""
  dataset = load_dataset('digits', str(tmp_path / 'new'))
  folder = tmp_path / 'old' / 'digits' / '1.0.0'
  folder.mkdir(parents=True)
  for split, count in dataset.info.splits.items():
    source = dataset.split(split).records.source
    name = f'digits-{split}.tfrecord-00000-of-00001'
    write_tfrecord(folder / name, [source[i] for i in range(count)])
  for name in ('dataset_info.json', 'features.json'):
    text = (tmp_path / 'new/digits/1.0.0' / name).read_text()
    (folder / name).write_text(text.replace('"array_record"', '"tfrecord"'))
  return folder


@pytest.fixture
def tensorflow(monkeypatch):
  monkeypatch.setattr(converting, 'find_spec', lambda name: name)
  adapters = {**converting._FORMATS, converting._FROM: FakeAdapter}
  monkeypatch.setattr(converting, '_FORMATS', adapters)


def same(one, other, split):
  one, other = one.split(split), other.split(split)
  return len(one) == len(other) and all(
    one[i]['label'] == other[i]['label']
    and np.array_equal(one[i]['image'], other[i]['image'])
    for i in range(len(one))
  )


@pytest.mark.usefixtures('tensorflow')
def test_a_copy_has_the_same_examples(old, tmp_path):
  copy, was_there = convert(str(old), str(tmp_path / 'copy'))
  original = load_dataset('digits', str(tmp_path / 'new'))
  assert not was_there and copy.info.splits == original.info.splits
  assert same(copy, original, 'train') and same(copy, original, 'test')
  assert convert(str(old), str(tmp_path / 'copy'))[1]


@pytest.mark.usefixtures('tensorflow')
def test_a_conversion_goes_on_where_it_was_cut_off(old, tmp_path, monkeypatch):
  written = []
  to = converting._FORMATS[converting._TO]

  class Fragile(to):
    @classmethod
    def write_examples(cls, path, iterator):
      written.append(os.path.basename(path))
      if len(written) == 2:
        raise KeyboardInterrupt
      return to.write_examples(path, iterator)

  adapters = {**converting._FORMATS, converting._TO: Fragile}
  monkeypatch.setattr(converting, '_FORMATS', adapters)
  with pytest.raises(KeyboardInterrupt):
    convert(str(old), str(tmp_path / 'copy'))
  folder = tmp_path / 'copy/digits/1.0.0'
  assert [n for n in os.listdir(folder)] == [
    'digits-train.array_record-00000-of-00001'
  ]
  copy, _ = convert(str(old), str(tmp_path / 'copy'))
  assert len(written) == 3 and 'test' in written[2]
  assert copy.info.splits == {'train': 1437, 'test': 360}


TEST = 'digits-test.tfrecord-00000-of-00001'


@pytest.mark.usefixtures('tensorflow')
def test_a_missing_file_is_found_before_any_is_converted(old, tmp_path):
  (old / TEST).unlink()
  with pytest.raises(DataError, match=f'1 of the 2 files .*{TEST}'):
    convert(str(old), str(tmp_path / 'copy'))
  assert not (tmp_path / 'copy').exists()


def empty(path):
  path.write_bytes(b'')


def half(path):
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.usefixtures('tensorflow')
@pytest.mark.parametrize(
  ('damage', 'says'),
  [(empty, 'holds 0 examples and should hold 360'), (half, 'cannot be read')],
)
def test_a_damaged_file_leaves_nothing_and_can_be_mended(
  old, tmp_path, damage, says
):
  whole = (old / TEST).read_bytes()
  damage(old / TEST)
  with pytest.raises(DataError, match=f'{TEST} {says}'):
    convert(str(old), str(tmp_path / 'copy'))
  folder = tmp_path / 'copy/digits/1.0.0'
  assert os.listdir(folder) == ['digits-train.array_record-00000-of-00001']
  (old / TEST).write_bytes(whole)
  copy, was_there = convert(str(old), str(tmp_path / 'copy'))
  assert copy.info.splits['test'] == 360 and not was_there


@pytest.mark.usefixtures('tensorflow')
def test_a_conversion_without_a_file_leaves_no_folder(old, tmp_path):
  half(old / TEST.replace('test', 'train'))
  with pytest.raises(DataError, match='cannot be read'):
    convert(str(old), str(tmp_path / 'copy'))
  assert not (tmp_path / 'copy').exists()


@pytest.mark.usefixtures('tensorflow')
def test_a_copy_that_lost_a_file_is_mended(old, tmp_path):
  copy, _ = convert(str(old), str(tmp_path / 'copy'))
  assert verify(copy, copy.folder).sound
  [train] = (tmp_path / 'copy/digits/1.0.0').glob('*train*')
  for damage in (empty, half, os.remove):
    damage(train)
    copy, was_there = convert(str(old), str(tmp_path / 'copy'))
    assert not was_there and len(copy.split('train')) == 1437
  assert verify(copy, copy.folder).changed == []
  assert convert(str(old), str(tmp_path / 'copy'))[1]


@pytest.mark.usefixtures('tensorflow')
@pytest.mark.parametrize('text', ['{"name": ', '[]', '{}'])
def test_a_broken_description_is_one_line(old, tmp_path, text):
  (old / 'dataset_info.json').write_text(text)
  with pytest.raises(DataError, match='description of .* cannot be read') as e:
    convert(str(old), str(tmp_path / 'copy'))
  assert '\n' not in str(e.value) and not (tmp_path / 'copy').exists()


@pytest.mark.usefixtures('tensorflow')
def test_targets_that_cannot_be_written_to(old, tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(StorageError, match='file: .*Not a directory'):
    convert(str(old), str(tmp_path / 'file'))
  with pytest.raises(UsageError, match='data are written to a local folder'):
    convert(str(old), 'gs://bucket/data')


def test_class_names_are_kept(old, tmp_path, tensorflow):
  (old / 'label.labels.txt').write_text('\n'.join('abcdefghij'))
  copy, _ = convert(str(old), str(tmp_path / 'copy'))
  assert copy.info.class_names == tuple('abcdefghij')


def test_what_cannot_be_converted_is_refused(old, tmp_path, monkeypatch):
  with pytest.raises(UsageError, match='has no dataset_info.json'):
    convert(str(old.parent), str(tmp_path))
  with pytest.raises(UsageError, match='no conversion: use --data_dir=.*/new '):
    convert(str(tmp_path / 'new/digits/1.0.0'), str(tmp_path / 'copy'))
  with pytest.raises(UsageError, match='give another folder'):
    convert(str(old), str(tmp_path / 'old'))
  monkeypatch.setattr(converting, 'find_spec', lambda name: None)
  with pytest.raises(UsageError, match=r"pip install -e '\.\[tf\]'"):
    convert(str(old), str(tmp_path / 'copy'))
  assert not (tmp_path / 'copy').exists()


def test_training_on_tfrecord_says_how_to_convert_it(old, tmp_path):
  with pytest.raises(UsageError, match=f'--from_tfrecord={old}'):
    load_dataset('digits', str(tmp_path / 'old'))
