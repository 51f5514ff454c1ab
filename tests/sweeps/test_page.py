"""The page of a sweep: whole, half done, of one label, of hundreds of runs."""

import json
import re
from pathlib import Path

import pytest

from resflax.sweeps import page
from resflax.sweeps.attempt import LEASE
from resflax.sweeps.law import LEAST_DECADES
from resflax.sweeps.lease import held
from tests.report.test_report import checked
from tests.sweeps.folders import law, shape, write_run, write_sweep


def built(folder):
  """Returns the page, and its text."""
  html = Path(page.build(str(folder), 'error', LEAST_DECADES)).read_text()
  checker = checked(html)
  assert not checker.tags & {'link', 'iframe', 'object', 'img'}
  assert all(
    re.fullmatch(r'#.*|[\w.-]+/report\.html', address)
    for address in checker.addresses
  )
  assert '://' not in html and 'url(http' not in html and '@import' not in html
  assert html.count('<script>') == 1
  return html, ' '.join(' '.join(checker.words).split())


@pytest.fixture(scope='module')
def ladder(tmp_path_factory):
  folder = tmp_path_factory.mktemp('ladder')
  write_sweep(folder)
  (folder / 'b1_w0.25_r16-00000000' / 'report.html').write_text('a run')
  return built(folder)


def test_a_page_has_the_law_the_frontier_and_the_next_run(ladder):
  html, text = ladder
  for part in (
    *('Curves', 'Labels', 'Scaling law', 'Frontier', 'The next run', 'Runs'),
    *('33 done', 'exponent', 'Predicted error', 'decades of compute'),
    *('To decide, run', 'f00df00d', 'What differs: seed, model.width'),
    'Blue: the labels that none beats at less compute',
  ):
    assert part in text, part
  assert html.count('<tr><th scope="row" data-v="b') == 33 + 11
  assert 'href="b1_w0.25_r16-00000000/report.html"' in html


def test_cells_are_sorted_by_their_values(ladder):
  html, _ = ladder
  rows = re.findall(r'<td class="number" data-v="([\d.]+)">[\d.]+ M</td>', html)
  assert rows and all(1e6 <= float(value) < 1e9 for value in rows)


def test_a_sweep_half_done_has_a_page_of_what_there_is(tmp_path):
  folder = tmp_path / '<half>'
  for number, finished in enumerate((True, False, False)):
    name = f'wide-0000000{number}'
    fields = shape(1, 0.25, 16)
    write_run(folder / name, fields, law, seed=number, finished=finished)
  (folder / 'wide-00000002' / 'status.json').unlink()
  for part in (folder / 'wide-00000002' / 'metrics').iterdir():
    part.unlink()
  with held(folder / 'wide-00000001' / LEASE):
    _, text = built(folder)
    assert '1 done, 1 running, 1 waiting' in text
  html, text = built(folder)
  assert '1 done, 1 cut off, 1 waiting' in text
  assert 'cut off at 50%' in text and '<half>' in text
  assert '1 design point, where a law of three parameters needs 6' in text
  assert 'None: There is no law to plan by' in text
  assert 'Run 5 more designs' in text
  assert html.count('<tr><th scope="row" data-v="wide"') == 3 + 1


def test_without_a_finished_run_the_page_says_so(tmp_path):
  write_run(tmp_path / 'a', shape(1, 0.25, 16), law, finished=False)
  _, text = built(tmp_path)
  assert 'No run has ended yet' in text
  assert 'all of its runs are still to end' in text and 'Curves' in text


def test_differences_have_their_intervals(tmp_path):
  rows = []
  for label, error in (('base', 0.3), ('better', 0.2)):
    for seed in range(2):
      name = f'{label}-{seed:08x}'
      fields = {**shape(1, 0.25, 16), 'optimizer.lr': error}
      reached = error + 0.01 * seed * (label == 'better')
      write_run(tmp_path / name, fields, lambda _, e=reached: e, seed=seed)
      against = 'base' if label == 'better' else ''
      rows.append({'label': label, 'name': name, 'against': against})
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  (tmp_path / 'runs.jsonl').write_text(lines)
  html, text = built(tmp_path)
  assert built(tmp_path)[0] == html
  # Student's of 10 and 9 points: 9.5 +- 12.706 * 0.5.
  assert '+9.50 ± 6.35' in text and 'better against base' in text
  assert 'Vermilion: what others are compared with' in text


@pytest.mark.slow
def test_hundreds_of_runs_make_a_page_of_bounded_size(tmp_path):
  for number in range(210):
    fields = {**shape(1, 0.125, 16), 'optimizer.lr': 0.001 * (number + 1)}
    write_run(
      tmp_path / f'lr{number}', fields, lambda _, n=number: 0.2 + n / 1e3
    )
  html, text = built(tmp_path)
  assert len(html) < 1.5e6
  assert 'Of 200, the 24 best are named' in text
  assert html.count('<tr><th scope="row" data-v="lr') == 2 * 210
