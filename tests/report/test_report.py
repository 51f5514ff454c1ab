"""The whole page: from a run folder to `report.html`."""

import html.parser
import json
import re
import sys

import numpy as np
import pytest

from resflax import report
from resflax.errors import StorageError
from scripts import command
from scripts import report as script
from tests.sweeps.folders import LADDER, write_sweep

VOID = {'meta', 'img', 'br'}


class Checker(html.parser.HTMLParser):
  """Asserts that tags close in order; collects tags, addresses and text."""

  def __init__(self):
    super().__init__()
    self.open, self.tags, self.addresses, self.words = [], set(), [], []

  def handle_starttag(self, tag, attrs):
    self.tags.add(tag)
    self.addresses += [
      v for k, v in attrs if k in ('src', 'href', 'xlink:href')
    ]
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.handle_starttag(tag, attrs)
    self.handle_endtag(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.words.append(data)


def checked(page: str) -> Checker:
  checker = Checker()
  checker.feed(page)
  checker.close()
  assert not checker.open
  return checker


@pytest.mark.parametrize(
  ('num_classes', 'channels', 'side'),
  [(2, 3, 32), (10, 1, 8), (10, 3, 8), (200, 3, 160)],
)
def test_a_page_is_well_formed_and_needs_nothing_else(
  write_run, num_classes, channels, side
):
  path = report.build(write_run(num_classes, channels, side))
  assert path.name == 'report.html'
  page = path.read_text()
  checker = checked(page)
  assert not checker.tags & {'script', 'link', 'iframe', 'object'}
  assert all(a.startswith(('data:', '#')) for a in checker.addresses)
  assert '://' not in page and 'url(http' not in page and '@import' not in page
  text = ' '.join(checker.words)
  for part in (
    'Training',
    'Images',
    'Classes',
    'Calibration',
    'Config',
    'Environment',
  ):
    assert part in text
  assert ('Confusion matrix' in text) == (num_classes <= 30)
  assert ('The most frequent mistakes' in text) == (num_classes > 30)


def test_the_numbers_are_those_of_the_folder(write_run):
  folder = write_run()
  text = ' '.join(checked(report.build(folder).read_text()).words)
  with np.load(folder / 'evaluation.npz') as arrays:
    wrong = arrays['label'] != arrays['prediction']
  assert f'{1 - wrong.mean():.2%}' in text
  assert f'the 6 worst of {wrong.sum()} among 400 test images' in text
  assert 'Best validation accuracy: 98.00% at step 40 of 40.' in text


def test_a_run_without_a_mistake_shows_no_other_images(write_run):
  folder = write_run()
  with np.load(folder / 'evaluation.npz') as file:
    arrays = dict(file)
  np.savez(
    folder / 'evaluation.npz', **{**arrays, 'prediction': arrays['label']}
  )
  text = ' '.join(checked(report.build(folder).read_text()).words)
  assert 'An even sample of the 400 test images' in text
  assert 'Mistakes' not in text


def test_a_page_is_the_same_every_time(write_run):
  folder = write_run()
  first = report.build(folder).read_bytes()
  assert report.build(folder).read_bytes() == first
  assert not [p for p in folder.iterdir() if p.name.startswith('.')]


def test_names_are_text_and_nothing_else(write_run):
  hostile = '<script>alert("1")</script>&amp;'
  folder = write_run(num_classes=2, names=[hostile, "'><img src=x>"])
  config = json.loads((folder / 'config.json').read_text())
  config['config']['data']['name'] = f'folder:{hostile}'
  config['derived']['data.val_split'] = {'value': 'a', 'reason': hostile}
  (folder / 'config.json').write_text(json.dumps(config))
  (folder / 'environment.json').write_text(json.dumps({'host': hostile}))
  checker = checked(report.build(folder).read_text())
  assert 'script' not in checker.tags
  assert all(a.startswith(('data:', '#')) for a in checker.addresses)
  text = ''.join(checker.words)
  assert f'resnet18 on folder:{hostile}' in text
  assert text.count(hostile) >= 5  # head, config twice, environment, images


def test_a_running_run_has_a_page_of_what_there_is(write_run):
  page = report.build(write_run(finished=False)).read_text()
  text = ' '.join(checked(page).words)
  assert 'running at step 40 of 80' in text
  assert 'Training' in text and 'Config' in text
  assert 'Images' not in text and 'Classes' not in text


def test_a_run_that_has_only_begun_has_a_page(write_run):
  folder = write_run(finished=False)
  for path in (folder / 'metrics').iterdir():
    path.unlink()
  assert 'No metrics yet' in report.build(folder).read_text()


def test_the_config_says_what_each_field_follows_from(write_run):
  page = report.build(write_run()).read_text()
  cells = '<th scope="row">model.depths</th><td>2, 2, 2, 2</td>'
  assert f'{cells}<td>variant resnet18</td>' in page
  assert 'Not set: model.stem.' in page


def test_a_folder_that_cannot_be_written_is_one_line(write_run, monkeypatch):
  folder = write_run()

  def full(*_, **__):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr('etils.epath.gpath.PosixGPath.write_text', full)
  with pytest.raises(StorageError, match=r'report\.html.*No space left') as e:
    report.build(folder)
  assert '\n' not in str(e.value)


def call(monkeypatch, *arguments):
  monkeypatch.setattr(sys, 'argv', ['report', *map(str, arguments)])
  with pytest.raises(SystemExit) as exit_:
    command.run(script.main, positional=True)
  return exit_.value.code


def test_the_script_prints_the_path_of_each_report(
  write_run, monkeypatch, capsys
):
  folders = [write_run(name=name, finished=False) for name in ('a', 'b')]
  assert not call(monkeypatch, *folders)
  printed = capsys.readouterr().out.split()
  assert printed == [str(folder / 'report.html') for folder in folders]


def test_the_script_knows_a_sweep_by_what_it_holds(
  tmp_path, monkeypatch, capsys
):
  write_sweep(tmp_path / 'sweep', LADDER[:2], seeds=1)
  assert not call(monkeypatch, tmp_path / 'sweep')
  path = tmp_path / 'sweep' / 'report.html'
  assert capsys.readouterr().out.split() == [str(path)]
  assert 'A sweep of resnet_rs_50 on digits' in path.read_text()


@pytest.mark.parametrize('arguments', [[], ['no/such/run']])
def test_the_script_refuses_in_one_line(monkeypatch, capsys, arguments):
  assert call(monkeypatch, *arguments) == 5
  assert re.fullmatch(r'error: .*--workdir of.*\n', capsys.readouterr().err)
