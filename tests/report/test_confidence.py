"""The picture of a teacher's confidences."""

import matplotlib.style

from resflax.report.confidence import draw_confidence
from resflax.report.theme import STYLE


def test_bars_are_the_counts():
  found = {
    'edges': [0.0, 0.5, 0.75, 1.0],
    'all': [4, 3, 9],
    'kept': [0, 2, 5],
    'least': 0.6,
  }
  with matplotlib.style.context(STYLE, after_reset=True):
    [axes] = draw_confidence(found).axes
  bars = [[bar.get_height() for bar in bars] for bars in axes.containers]
  assert bars == [found['all'], found['kept']]
  assert [bar.get_x() for bar in axes.containers[0]] == [0.0, 0.5, 0.75]
  assert list(axes.lines[0].get_xdata()) == [0.6, 0.6]
