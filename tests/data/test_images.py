"""Folders of images whose classes nobody knows."""

import pytest

from resflax.data.sources import load_dataset
from resflax.errors import UsageError


def load(folder):
  return load_dataset(f'folder:{folder}', labelled=False)


def test_images_at_any_depth_are_one_split(tmp_path, write_image):
  for name in ('a.png', 'some/b.png', 'some/deeper/c.png'):
    write_image(tmp_path / name)
  (tmp_path / 'notes.txt').write_text('none')
  found = load(tmp_path)
  assert found.info.splits == {'train': 3} and found.info.class_names == ()
  records = found.split('train')
  assert sorted(records.where(i) for i in range(3)) == sorted(
    str(path) for path in tmp_path.rglob('*.png')
  )
  assert records[0]['label'] == -1 and found.info.channels == 3
  before = found.info.version
  write_image(tmp_path / 'd.png')
  assert load(tmp_path).info.version != before
  assert len(load(tmp_path).split('train[:50%]')) == 2


def test_class_folders_stay_such(tmp_path, write_image):
  for name in ('train/cat/a.png', 'train/dog/b.png', 'test/cat/c.png'):
    write_image(tmp_path / name)
  found = load(tmp_path)
  assert found.info.class_names == ('cat', 'dog')
  assert found.info.splits == {'train': 2, 'test': 1}


def test_what_may_be_a_test_split_is_not_taken_for_images(
  tmp_path, write_image
):
  for name in ('train/cat/a.png', 'train/dog/b.png', 'test/c.png'):
    write_image(tmp_path / name)
  with pytest.raises(UsageError, match='no class folders.*--dataset'):
    load(tmp_path)


def test_no_folder_and_no_images_are_refused(tmp_path):
  with pytest.raises(UsageError, match='No folder .*--dataset'):
    load(tmp_path / 'none')
  with pytest.raises(UsageError, match='has no images.*--dataset'):
    load(tmp_path)
