"""The documentation against the code: commands, fields, links and examples."""

import ast
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from resflax import schema
from resflax.training.pinned import DATA
from scripts.command import _literal

ROOT = pathlib.Path(__file__).parent.parent
PAGES = {
  str(path.relative_to(ROOT)): path.read_text()
  for path in (*sorted(ROOT.glob('*.md')), *sorted(ROOT.glob('docs/**/*.md')))
}
FLAGS = {'help'}  # every script has it


def blocks(text, language):
  return re.findall(rf'^```{language}\n(.*?)^```$', text, re.M | re.S)


def commands():
  """Yields (page, module, arguments) of each command that names a script."""
  for page, text in PAGES.items():
    joined = text.replace('\\\n', ' ')
    for match in re.finditer(r'python -m (scripts\.\w+)([^\n`;&|]*)', joined):
      yield page, match[1], shlex.split(match[2], comments=True)


COMMANDS = list(commands())


def flags_of(module):
  """The flags that a script's module defines, read without running it."""
  tree = ast.parse((ROOT / f'{module.replace(".", "/")}.py').read_text())
  imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
  names = {f'{i.module}.{alias.name}' for i in imports for alias in i.names}
  shared = {
    name
    for name in names | {i.module for i in imports}
    if (ROOT / f'{name.replace(".", "/")}.py').is_file()
    and name.startswith('scripts.')
  }
  return FLAGS.union(*map(flags_of, shared)) | {
    node.args[0].value
    for node in ast.walk(tree)
    if isinstance(node, ast.Call)
    and isinstance(node.func, ast.Attribute)
    and node.func.attr.startswith('DEFINE_')
  }


def ids(command):
  return ' '.join((command[0], command[1], *command[2]))


@pytest.mark.parametrize('command', COMMANDS, ids=ids)
def test_commands_name_flags_and_fields_that_exist(command):
  _, module, arguments = command
  for argument in arguments:
    if not argument.startswith('--'):
      continue
    name, _, text = argument.removeprefix('--').partition('=')
    if name.startswith('config.'):
      path = name.removeprefix('config.')
      field = schema.field(path)
      if text != 'VALUE':
        value = None if text == 'None' else _literal(field, text)
        field.check(path, value)
      continue
    assert name in flags_of(module)
    if name == 'config':
      assert (ROOT / text.split(':')[0]).is_file()
    if name == 'allow_change':
      assert all(n == DATA or schema.field(n) for n in text.split(','))


def test_commands_are_found():
  assert len([c for c in COMMANDS if c[0] == 'README.md']) >= 10


@pytest.mark.parametrize('page', PAGES)
def test_names_in_tables_of_fields_exist(page):
  """`config.x.y` in prose is a field or a group of fields."""
  groups = {path.split('.')[0] for path in schema.FIELDS}
  for name in re.findall(r'`config\.([a-z_.]+?)[`=]', PAGES[page]):
    assert name in schema.FIELDS or name in {*groups, 'resolve', 'json'}


def test_every_field_stands_on_the_training_page():
  text = PAGES['docs/train.md']
  for path in schema.FIELDS:
    name = path.split('.')[-1]
    stem = re.sub(r'_(steps|epochs|examples|percent)$', '_*', name)
    assert name in text or stem in text, f'{path} is not in docs/train.md'


@pytest.mark.parametrize('page', PAGES)
def test_relative_links_resolve(page):
  for target in re.findall(r'\]\(([^)#\s]+)[^)]*\)', PAGES[page]):
    if not target.startswith(('http://', 'https://')):
      assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize('page', PAGES)
def test_no_path_of_a_machine(page):
  """Documents are for everybody: /tmp is the only absolute path."""
  homes = r'(?<![\w./~:-])/(?:home|root|work|Users|mnt)/\S*'
  assert not re.findall(homes, PAGES[page])


EXAMPLES = [
  pytest.param(code, id=f'{page}-{number}')
  for page, text in PAGES.items()
  for number, code in enumerate(blocks(text, 'python'))
]


@pytest.mark.parametrize('code', EXAMPLES)
def test_examples_compile(code):
  compile(code, 'example', 'exec')


@pytest.mark.slow
@pytest.mark.parametrize('code', EXAMPLES)
def test_examples_run(code, tmp_path):
  """From another folder, as in a notebook of somebody's own."""
  done = subprocess.run(
    [sys.executable, '-c', code],
    cwd=tmp_path,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    capture_output=True,
    text=True,
    timeout=300,
  )
  assert done.returncode == 0, done.stderr[-2000:]


def test_the_two_commands_of_the_readme():
  found = re.findall(r'^python3 -m venv .*$', PAGES['README.md'], re.M)
  assert len(found) == 2
  assert found[1].endswith("-e '.[test]' && .venv/bin/python -m pytest -n 2")


def test_ci_runs_the_command_of_the_readme():
  """`.ci/run` takes it from behind this mark, and refuses without."""
  mark = '\n<!-- test command -->\n```bash\npython3 -m venv '
  assert PAGES['README.md'].count(mark) == 1
  assert 'test command' in (ROOT / '.ci' / 'run').read_text()
