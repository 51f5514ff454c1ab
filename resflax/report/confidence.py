"""How sure a teacher is of images, as one picture."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from resflax.report.theme import COLOR, canvas, place


def draw_confidence(found: Mapping) -> Figure:
  """Draws how many images have which confidence, and how many are kept.

  Args:
    found: `edges` of the bins, counts of `all` and of those `kept`, and the
      `least` confidence that was asked for.
  """
  figure = canvas(520, 300)
  axes = place(figure, 72, 36, 420, 208)
  edges = np.asarray(found['edges'])
  width = np.diff(edges)
  for name, color in (('all', 'gray'), ('kept', 'blue')):
    axes.bar(
      edges[:-1],
      found[name],
      width=0.92 * width,
      align='edge',
      color=COLOR[color],
      alpha=1.0 if name == 'kept' else 0.35,
      label=name,
    )
  axes.axvline(found['least'], color=COLOR['vermilion'], linewidth=1.5)
  axes.set_xlim(edges[0], edges[-1])
  title = 'Images by confidence; the line is the least that is kept'
  axes.set_title(title, loc='left', fontsize=12, color=COLOR['soft'])
  axes.set_xlabel("probability of the teacher's class")
  axes.legend(frameon=False, loc='upper left', labelcolor=COLOR['soft'])
  return figure
