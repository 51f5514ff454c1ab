"""How often a net is right by how sure it is, as one picture."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resflax.report.calibration import Calibration
from resflax.report.theme import COLOR, canvas, place

SIDE, GAP, TOP, LEFT = 200, 64, 48, 56  # pixels
IN_A_ROW = 4


def draw_reliability(found: Mapping[str, Calibration]) -> Figure:
  """Draws a panel for each data set: accuracy over confidence.

  Source: Guo et al. 2017, figure 1.

  Args:
    found: calibration by the name of the data set.
  """
  columns = min(len(found), IN_A_ROW)
  rows = -(-len(found) // IN_A_ROW)
  step = SIDE + GAP
  figure = canvas(LEFT + columns * step, TOP + rows * (step + 24))
  for number, (name, calibration) in enumerate(found.items()):
    row, column = divmod(number, IN_A_ROW)
    left, top = LEFT + column * step, TOP + row * (step + 24)
    axes = place(figure, left, top, SIDE, SIDE)
    _panel(axes, calibration)
    axes.set_title(name, loc='left', fontsize=11, color=COLOR['ink'])
  return figure


def _panel(axes: Axes, found: Calibration) -> None:
  there = found.count > 0
  low, high = found.edges[:-1][there], found.edges[1:][there]
  accuracy, confidence = found.accuracy[there], found.confidence[there]
  width = high - low
  axes.bar(low, accuracy, width, align='edge', color=COLOR['blue'])
  # The gap, from what was right to what would have been. Over the blue it has
  # to hide it, or an underconfident net has gaps of a third colour.
  bottom, height = np.minimum(accuracy, confidence), abs(confidence - accuracy)
  axes.bar(low, height, width, bottom, align='edge', color=COLOR['vermilion'])
  axes.hlines(accuracy, low, high, color=COLOR['blue'], linewidth=2.5)
  axes.plot([0, 1], [0, 1], '--', color=COLOR['gray'], linewidth=1)
  share = found.count / found.count.sum()
  axes.step(found.edges[1:], share, where='pre', color=COLOR['soft'])
  axes.set_xlim(0, 1)
  axes.set_ylim(0, 1)
  axes.set_xlabel(f'probability; ECE {found.error:.1%}')
