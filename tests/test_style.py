"""The whole tree is as ruff wants it."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.parametrize('command', [('check',), ('format', '--check')])
def test_ruff(command):
  result = subprocess.run(
    [sys.executable, '-m', 'ruff', *command, '--no-cache', '.'],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert result.returncode == 0, result.stdout + result.stderr
