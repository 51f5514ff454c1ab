"""The gradients of labels: of which rows, and over which runs."""

from pathlib import Path

import pytest

from resflax.sweeps import page
from resflax.sweeps.folder import members
from resflax.sweeps.gradients import gradients
from resflax.sweeps.law import LEAST_DECADES
from tests.sweeps.folders import prepend_rows, shape, write_run

ROWS = 40


def write(folder, label, seed, scale, *, finished=True):
  """A run whose stem has the gradient n * scale at its row n, its head 1."""
  path = folder / f'{label}-{seed:08x}'
  fields = shape(1, 0.25, 16)
  write_run(path, fields, lambda _: 0.2, seed=seed, finished=finished)
  rows = [
    {
      'step': n,
      'train/gradient_norm/head': 1.0,
      'train/gradient_norm/stem': n * scale,
    }
    for n in range(1, 1 + ROWS)
  ]
  prepend_rows(path, rows)


def test_a_label_has_the_medians_of_tenths_and_the_mean_over_seeds(tmp_path):
  write(tmp_path, 'plain', 0, 1.0)
  write(tmp_path, 'plain', 1, 4.0)
  write(tmp_path, 'plain', 2, 100.0, finished=False)
  [found] = gradients(members(str(tmp_path)))
  assert found.label == 'plain' and list(found.parts) == ['stem', 'head']
  # Rows 1 to 4 and 37 to 40, and the geometric mean of 1 and 4 is 2.
  assert found.first == pytest.approx([2 * 2.5, 1])
  assert found.last == pytest.approx([2 * 38.5, 1])


def test_the_page_has_them_where_they_were_logged(tmp_path):
  write_run(tmp_path / 'without-00000000', shape(1, 0.25, 16), lambda _: 0.2)
  html = Path(page.build(str(tmp_path), 'error', LEAST_DECADES)).read_text()
  assert 'Gradients' not in html
  assert [Path(f).name for f in page.save_figures(str(tmp_path))] == [
    'curves.svg'
  ]
  write(tmp_path, 'plain', 0, 1.0)
  html = Path(page.build(str(tmp_path), 'error', LEAST_DECADES)).read_text()
  assert 'Gradients from stem to head' in html and 'plain 1' in html
  for cell in ('stem', '2.5', '38.5'):
    assert f'>{cell}</td>' in html
  curves, drawn = map(Path, page.save_figures(str(tmp_path)))
  assert drawn.name == 'gradients.svg' and '<svg' in drawn.read_text()
  assert '<svg' in curves.read_text()
