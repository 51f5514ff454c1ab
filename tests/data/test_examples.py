"""Where an example of an ArrayRecord set is, for people."""

import pathlib

import pytest

from resflax.data.fill import bad_among
from resflax.data.importing import import_folder
from resflax.data.sources import load_dataset


@pytest.fixture
def imported(tmp_path, write_image):
  """A set of four pictures, of which one is text, and its only file."""
  for name in ('a/1', 'a/2', 'b/3', 'b/4'):
    write_image(tmp_path / f'pets/{name}.png')
  (tmp_path / 'pets/b/4.png').write_text('no image')
  dataset, _ = import_folder(str(tmp_path / 'pets'), None, str(tmp_path))
  [file] = pathlib.Path(dataset.folder).glob('*.array_record*')
  return dataset, file


def test_it_is_named_by_its_source(imported):
  records = imported[0].split('train')
  [bad] = bad_among(records, range(4), channels=3)
  assert bad.place == f'example {bad.index} of pets/1.0.0 train (b/4.png)'
  assert bad.reason.startswith('not an image')


def test_it_is_named_by_its_file_where_it_cannot_be_read(imported, tmp_path):
  _, file = imported
  content = bytearray(file.read_bytes())
  content[200] ^= 4
  file.write_bytes(content)
  records = load_dataset('pets', str(tmp_path)).split('train')
  places = [bad.place for bad in bad_among(records, range(4), channels=3)]
  assert f'example 0 of pets/1.0.0 train in {file}' in places
