"""The figures of a fit hold what fit.json holds."""

import numpy as np
import pytest

from resflax.report.laws import draw_frontiers, draw_laws, half_widths
from resflax.report.theme import save
from resflax.sweeps.analysis import analyse
from tests.sweeps.synthetic import sweep


@pytest.fixture(scope='module')
def fit():
  points = sweep(np.random.default_rng(0))
  points = [p._replace(macs=10**9 * (i + 1)) for i, p in enumerate(points)]
  return analyse(points, refits=200)


def test_law_points_and_residuals(fit):
  above, below = draw_laws([('ours', fit)]).axes
  law = fit['laws']['frontier']
  drawn = [line.get_xydata() for line in above.get_lines()]
  band = np.transpose([law['band']['compute'], law['band']['law']])
  assert any(
    len(xy) == len(band) and np.allclose(xy, band * [1, 100]) for xy in drawn
  )
  low, high = law['exponent']['interval']
  told = [text.get_text() for text in above.get_legend().get_texts()]
  assert told[0] == 'ours' and f'90% {low:.3f} to {high:.3f}' in told[1]
  [points] = [line for line in below.get_lines() if len(line.get_xdata()) > 2]
  np.testing.assert_allclose(
    points.get_ydata(), 100 * np.expm1(law['residuals'])
  )


def test_a_fit_without_a_law_is_its_points(fit):
  laws = {name: {'points': [], 'refused': 'no'} for name in fit['laws']}
  [axes] = draw_laws([('ours', {**fit, 'laws': laws})]).axes
  assert axes.get_legend_handles_labels()[1] == ['ours']


def test_error_bars_are_students_of_a_common_spread():
  points = [{'error': [0.1, 0.2]}, {'error': [0.3, 0.3]}, {'error': [0.5]}]
  fit = {'metric': 'error', 'level': 0.9, 'points': points}
  # t of 2 degrees of freedom; a variance of log(2)^2 / 2 and one of nothing.
  whole = 2.9200 * np.log(2) / 2
  half = whole / np.sqrt(2)
  assert half_widths(points, fit) == pytest.approx([half, half, whole], 1e-4)
  single = {**fit, 'points': points[2:]}
  assert half_widths(points[2:], single) == pytest.approx([0])


def test_a_panel_a_cost_that_is_known(fit, tmp_path):
  figure = draw_frontiers([('ours', fit)])
  [axes] = figure.axes
  assert axes.get_xlabel() == 'MACs of an image'
  best = axes.containers[0].lines[0].get_ydata()
  assert list(best) == sorted(best) and len(best) == len(fit['pareto']['macs'])
  path = tmp_path / 'a.svg'
  save(str(path), draw_frontiers, [('ours', fit)])
  assert '3 G' in path.read_text()
