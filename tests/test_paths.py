"""Paths mean the same from every folder."""

import os
import pathlib

import pytest

from resflax.paths import absolute, printable


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


def test_printable_is_one_line_of_utf_8():
  assert (
    printable('~/my photos/\u00e9\u3042\u200d')
    == '~/my photos/\u00e9\u3042\u200d'
  )
  odd = printable('a\nb\x1b' + os.fsdecode(b'\xff'))
  assert odd == r'a\nb\x1b\udcff' and odd.encode()
