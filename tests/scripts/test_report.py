"""The command that makes pages, and figures where they are wanted."""

from pathlib import Path

from tests.scripts.calling import call
from tests.sweeps.folders import shape, write_run

FIELDS = shape(1, 0.25, 16)


def test_figures_are_written_beside_the_pages_of_runs_and_sweeps(tmp_path):
  run = tmp_path / 'wide-00000000'
  write_run(run, FIELDS, lambda _: 0.2)
  expected = []
  for folder in (run, tmp_path):
    expected += [folder / 'report.html', folder / 'curves.svg']
  out = call('report', str(run), str(tmp_path), '--figures')
  assert not out.returncode, out.stderr
  assert list(map(Path, out.stdout.split())) == expected
  assert all(path.exists() for path in expected)


def test_without_the_flag_there_are_pages_alone(tmp_path):
  write_run(tmp_path, FIELDS, lambda _: 0.2)
  out = call('report', str(tmp_path))
  assert out.stdout.split() == [str(tmp_path / 'report.html')]
  assert not (tmp_path / 'curves.svg').exists()


def test_a_folder_without_runs_is_refused(tmp_path):
  for folder, held in ((tmp_path, 'holds no run'), ('nowhere', 'is not there')):
    out = call('report', str(folder))
    assert out.returncode == 5
    assert out.stderr == (
      f"error: '{folder}' {held}: give the --workdir of a scripts.train or "
      'scripts.sweep command.\n'
    )


def test_no_folder_is_refused():
  out = call('report')
  assert out.returncode == 5 and 'takes the --workdir' in out.stderr
