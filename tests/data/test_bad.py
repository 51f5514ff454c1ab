"""How many training examples may be bad."""

import pathlib

import cv2
import numpy as np
import pytest

from resflax.data.bad import Bad, BadExamples
from resflax.data.fill import bad_among
from resflax.data.importing import import_folder
from resflax.data.records import read_each
from resflax.data.sources import load_dataset
from resflax.errors import DataError
from tests.data.files import Files

DAMAGED = [
  Bad(i, f'example {i}', f'PNG is damaged: at byte {i}') for i in (4, 2)
]
UNKNOWN = Bad(9, 'example 9', 'not an image of a known format: no')


def test_each_example_is_counted_once():
  bad = BadExamples(1000, 0.01)
  assert bad.add(DAMAGED) == DAMAGED and bad.add(DAMAGED) == []
  assert bad.add([UNKNOWN, DAMAGED[0]]) == [UNKNOWN]
  assert len(bad) == 3 and bad.found == [*DAMAGED, UNKNOWN]


@pytest.mark.parametrize(
  ('budget', 'allowed'), [(0.0, 0), (1e-5, 0), (0.0019, 1), (0.002, 2)]
)
def test_the_budget_is_a_share_of_the_examples(budget, allowed):
  bad = BadExamples(1000, budget)
  for index in range(allowed):
    bad.add([Bad(index, 'there', 'why')])
  with pytest.raises(DataError, match=f'allows {allowed} '):
    bad.add([Bad(999, 'there', 'why')])


def test_too_many_are_listed_by_kind():
  bad = BadExamples(1000, 0.002)
  with pytest.raises(DataError) as error:
    bad.add([*DAMAGED, UNKNOWN])
  assert str(error.value) == (
    '3 of 1,000 training examples cannot be used, and data.bad_budget=0.002 '
    'allows 2 (2 PNG is damaged, 1 not an image of a known format): '
    'example 4: PNG is damaged: at byte 4; '
    'example 2: PNG is damaged: at byte 2; '
    'example 9: not an image of a known format: no. Remove or replace those '
    'files, or raise config.data.bad_budget, or look through everything with '
    'scripts.prepare_data --verify.'
  )
  many = BadExamples(1000, 0.0)
  with pytest.raises(DataError, match='; and 5 more. Remove'):
    many.add([Bad(index, 'there', 'why') for index in range(25)])


def test_those_of_an_earlier_start_count():
  known = [list(bad) for bad in DAMAGED]  # as they come back from JSON
  bad = BadExamples(1000, 0.002, known)
  assert bad.found == DAMAGED and bad.add(DAMAGED) == []
  with pytest.raises(DataError, match='3 of 1,000'):
    bad.add([UNKNOWN])


def test_those_that_cannot_be_used_are_found_among_some():
  found = bad_among(Files(21, broken=[7, 9, 12]), [9, 3, 7], channels=3)
  assert [bad.index for bad in found] == [9, 7]
  assert found[0].place == 'example 9 of files'


def test_a_flipped_bit_costs_one_record(tmp_path):
  """Wherever it is in a file; each record is a chunk with a checksum."""
  random = np.random.default_rng(0)
  for index in range(8):
    folder = tmp_path / f'photos/class{index % 2}'
    folder.mkdir(parents=True, exist_ok=True)
    noise = random.integers(0, 256, (24, 24, 3), np.uint8)
    cv2.imwrite(str(folder / f'{index}.jpg'), noise)
  dataset, _ = import_folder(str(tmp_path / 'photos'), None, str(tmp_path))
  good = read_each(dataset.split('train'), range(8))
  [path] = pathlib.Path(dataset.folder).glob('*.array_record*')
  content = path.read_bytes()
  lost = []
  for place in range(150, 12_000, 500):
    flipped = content[place] ^ 4
    path.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
    records = load_dataset('photos', str(tmp_path)).split('train')
    found = read_each(records, range(8))
    bad = [i for i, one in enumerate(found) if isinstance(one, DataError)]
    assert len(bad) <= 1
    assert all(found[i] == good[i] for i in range(8) if i not in bad)
    lost += bad
  assert lost == sorted(lost) and set(lost) == set(range(8))
