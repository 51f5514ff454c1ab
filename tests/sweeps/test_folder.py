"""Which folders are sweeps, and what their runs are called."""

import json

import pytest

from resflax.errors import StorageError, UsageError
from resflax.sweeps.folder import is_sweep, members
from tests.sweeps.folders import shape, write_run


@pytest.fixture
def sweep(tmp_path):
  for name, finished in (('wide-0123abcd', True), ('89abcdef', False)):
    write_run(
      tmp_path / name, shape(1, 0.25, 16), lambda _: 0.2, finished=finished
    )
  return tmp_path


def test_a_sweep_holds_runs_and_is_none(sweep, tmp_path):
  assert is_sweep(str(sweep))
  assert not is_sweep(str(sweep / 'wide-0123abcd'))
  assert not is_sweep(str(sweep / 'wide-0123abcd' / 'metrics'))


def test_labels_come_from_the_folders_until_runs_are_kept(sweep):
  found = members(str(sweep))
  assert [m.label for m in found] == ['89abcdef', 'wide']
  assert [m.is_done for m in found] == [False, True]
  row = {'name': 'wide-0123abcd', 'label': 'broad', 'against': 'narrow'}
  (sweep / 'runs.jsonl').write_text(json.dumps(row) + '\n')
  assert members(str(sweep))[0][:2] == ('broad', 'narrow')


def test_other_folders_are_refused(sweep):
  with pytest.raises(UsageError, match='wide-0123abcd is the folder of a run'):
    members(str(sweep / 'wide-0123abcd'))
  with pytest.raises(UsageError, match='it has no runs'):
    members(str(sweep / 'wide-0123abcd' / 'metrics'))
  (sweep / 'runs.jsonl').write_text('{}\n')
  with pytest.raises(StorageError, match='Cannot read'):
    members(str(sweep))
