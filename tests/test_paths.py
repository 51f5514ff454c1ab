"""Paths mean the same from every folder."""

import pathlib

import pytest

from resflax.paths import absolute


@pytest.mark.parametrize(
  'given, expected',
  [
    ('run', '{cwd}/run'),
    ('~/run', '{home}/run'),
    ('/a/../b', '/b'),
    ('gs://bucket/run', 'gs://bucket/run'),
    (pathlib.Path('run'), '{cwd}/run'),
  ],
)
def test_absolute(given, expected, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv('HOME', '/home/me')
  assert absolute(given) == expected.format(cwd=tmp_path, home='/home/me')
