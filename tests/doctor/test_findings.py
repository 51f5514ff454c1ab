"""Findings of several processes as rows, and what follows from them."""

import threading

import pytest

from resflax.doctor import findings
from resflax.doctor.findings import failed, looked_at, ok, rows, warning
from resflax.errors import DataError, StorageError, UsageError

NAMES = ['0 (a)', '1 (b)', '2 (b)']


def test_what_is_well_is_one_row_and_what_is_not_is_named():
  made = rows(
    [
      [ok('disk', '5 GB free'), ok('data', 'there')],
      [ok('disk', '4 GB free'), failed('data', DataError('gone'))],
      [
        warning('disk', 'tight', 'make room'),
        failed('data', DataError('gone')),
      ],
    ],
    NAMES,
  )
  assert [(r.check, r.verdict, r.found, r.processes) for r in made] == [
    ('disk', 'ok', '5 GB free', '0 (a), 1 (b)'),
    ('disk', 'warning', 'tight', '2 (b)'),
    ('data', 'ok', 'there', '0 (a)'),
    ('data', 'failed', 'gone', '1 (b), 2 (b)'),
  ]
  assert findings.exit_code(made) == DataError.exit_code
  assert findings.verdict(made) == 'failed'


def test_many_processes_are_not_all_named():
  names = [str(i) for i in range(64)]
  [one] = rows([[ok('disk', 'free')]] * 64, names)
  assert one.processes == 'all 64'
  by_process = [[warning('disk', 'tight')]] * 63 + [[ok('disk', 'free')]]
  assert rows(by_process, names)[0].processes == '0, 1, 2, 3 and 59 more'
  [alone] = rows([[ok('disk', 'free')]], ['0'])
  assert alone.processes == ''


def test_the_first_failure_is_what_the_run_would_end_with():
  made = [
    warning('environment', 'odd'),
    failed('config', UsageError('no')),
    failed('disk', StorageError('full')),
  ]
  assert findings.exit_code(made) == 5
  assert findings.verdict(made[:1]) == 'warning'
  assert findings.exit_code(made[:1]) == 0
  assert findings.verdict([]) == 'ok'


@pytest.mark.parametrize(
  'error, code', [(StorageError('full'), 6), (ZeroDivisionError('oh'), 1)]
)
def test_an_error_is_a_finding(error, code):
  def look():
    raise error

  [found] = looked_at('disk', look)
  assert (found.verdict, found.exit_code) == ('failed', code)
  assert str(error) in found.found


def test_what_hangs_is_a_finding():
  end = threading.Event()
  [found] = looked_at('disk', end.wait, seconds=0.1)
  end.set()
  assert found.exit_code == 75 and 'Does not answer' in found.found
