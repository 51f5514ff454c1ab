"""How runs stand, in a table and in a log."""

import json

import pytest

from resflax.sweeps import board
from resflax.sweeps.lease import held
from resflax.sweeps.standing import summary
from tests.sweeps.drive import planned


def stands(folder, status=None, code=0, steps=()):
  """Makes what a run leaves of itself."""
  (folder / 'metrics').mkdir(parents=True)
  rows = [{'step': s, 'time': 2.0 * s, 'train/loss': 1.0} for s in steps]
  rows += [{'step': s, 'time': 2.0 * s, 'eval/top1': 0.75} for s in steps[-1:]]
  files = {'config.json': {'config': {}, 'derived': {}}}
  if status:
    files['status.json'] = {'state': status, 'step': 0, 'total_steps': 100}
  if code != 'none':
    files['attempt.json'] = {'exit_code': code}
  for name, content in files.items():
    (folder / name).write_text(json.dumps(content))
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  (folder / 'metrics' / '000000000.jsonl').write_text(lines)


@pytest.mark.parametrize(
  'status, code, state',
  [
    ('done', 0, 'done'),
    ('done', None, 'done'),
    ('running', None, 'cut off'),
    ('running', -9, 'cut off'),
    ('running', 'none', 'cut off'),  # by hand, or before there were attempts
    ('preempted', 42, 'stopped'),
    ('running', -15, 'stopped'),  # before it could listen
    ('failed', 3, 'failed'),
    (None, 5, 'failed'),  # before it had a status
    (None, 'none', 'waiting'),
  ],
)
def test_states(tmp_path, status, code, state):
  [run] = planned(0)
  assert summary(run, tmp_path / 'run')['state'] == 'waiting'
  stands(tmp_path / 'run', status, code)
  assert summary(run, tmp_path / 'run')['state'] == state
  with held(tmp_path / 'run' / '.lease'):
    now = 'done' if state == 'done' else 'running'
    assert summary(run, tmp_path / 'run')['state'] == now


def test_the_time_left_is_that_of_the_last_rows(tmp_path):
  [run] = planned(0)
  stands(tmp_path, 'running', None, steps=(10, 20, 30))
  row = summary(run, tmp_path)
  assert (row['step'], row['total_steps'], row['eval/top1']) == (30, 100, 0.75)
  assert row['seconds_left'] == pytest.approx(140)


def test_a_damaged_folder_does_not_end_the_others(tmp_path):
  [run] = planned(0)
  stands(tmp_path, 'running', 1)
  (tmp_path / 'config.json').write_text('{')
  row = summary(run, tmp_path)
  assert row['state'] == 'failed' and 'Cannot read' in row['reason']


def test_a_log_has_a_line_for_what_changes(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(board, '_EVERY_S', 0.0)
  runs = planned(0, 1)
  first, second = (tmp_path / run.name for run in runs)
  with board.Board(runs, tmp_path) as shown:
    shown.refresh()
    assert capsys.readouterr().out == ''
    stands(first, 'running', None, steps=(10, 20))
    with held(first / '.lease'):
      shown.refresh()
      shown.refresh()
      line = f'running {runs[0].name} step 20/100, validation top1 75.00%, '
      assert capsys.readouterr().out == f'{line}0:02:40 left\n'
      monkeypatch.setattr(board, '_TOLD_S', 0.0)
      shown.refresh()
      assert capsys.readouterr().out.startswith(line)
      monkeypatch.setattr(board, '_TOLD_S', 60.0)
    stands(second, 'done', 0)
  assert capsys.readouterr().out.splitlines() == [
    f'cut off {line.removeprefix("running ")}0:02:40 left',
    f'done {runs[1].name}',
  ]
  assert (tmp_path / 'runs.jsonl').read_text().count('\n') == 1


def test_a_terminal_has_a_table_that_fits(tmp_path, monkeypatch, capsys):
  monkeypatch.setenv('LINES', '8')
  monkeypatch.setenv('COLUMNS', '100')
  monkeypatch.setenv('FORCE_COLOR', '1')
  monkeypatch.setenv('TTY_COMPATIBLE', '1')
  monkeypatch.setattr(board, '_EVERY_S', 0.0)
  runs = planned(*range(9))
  stands(tmp_path / runs[7].name, 'running', None, steps=(10, 20))
  with (
    held(tmp_path / runs[7].name / '.lease'),
    board.Board(runs, tmp_path) as shown,
  ):
    shown.refresh()
    out = capsys.readouterr().out
  assert f'{runs[7].name}' in out and '20/100' in out and '75.00' in out
  assert runs[8].name not in out
  assert '8 waiting, 1 running' in out
