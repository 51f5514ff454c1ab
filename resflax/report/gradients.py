"""Where the gradient of a net vanishes: its length from stem to head."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from resflax.report.curves import BOTTOM, TITLE, label_ends, panel_title
from resflax.report.theme import COLOR, canvas, place
from resflax.report.ticks import label_round

_HUES = ('blue', 'vermilion', 'gray', 'ink')
_DASHES = ('-', '--', ':')
MOST = len(_HUES) * len(_DASHES)  # labels that can be told apart
_LEFT, _WIDTH, _HEIGHT, _BETWEEN, _RIGHT = 56, 320, 220, 48, 210


class Gradients(NamedTuple):
  """The lengths of a label's gradients in the parts of the net.

  Attributes:
    label: of the runs.
    parts: stem, stages and head, in the order of the network.
    first: in the first tenth of training.
    last: in the last tenth.
  """

  label: str
  parts: Sequence[str]
  first: Float[np.ndarray, ' parts']
  last: Float[np.ndarray, ' parts']


def draw_gradients(found: Sequence[Gradients]) -> Figure:
  """Draws the lengths over the parts, early and late in training.

  Args:
    found: one label at least, `MOST` at most; labels may differ in their parts.
  """
  figure = canvas(
    _LEFT + 2 * _WIDTH + _BETWEEN + _RIGHT, TITLE + _HEIGHT + BOTTOM
  )
  longest = sorted((gradients.parts for gradients in found), key=len)[::-1]
  parts = list(dict.fromkeys(itertools.chain(*longest)))
  shared = None
  for column, when in enumerate(('first', 'last')):
    left = _LEFT + column * (_WIDTH + _BETWEEN)
    axes = place(figure, left, TITLE, _WIDTH, _HEIGHT)
    axes.set_yscale('log')
    labels = []
    for number, gradients in enumerate(found):
      hue = COLOR[_HUES[number % len(_HUES)]]
      dash = _DASHES[number // len(_HUES)]
      lengths = getattr(gradients, when)
      places = [parts.index(part) for part in gradients.parts]
      axes.plot(places, lengths, f'o{dash}', color=hue, markersize=4)
      label = f'{gradients.label} {lengths[-1]:.2g}'
      labels.append((lengths[-1], label, hue))
    axes.set_xticks(range(len(parts)), parts)
    axes.margins(x=0.04)
    panel_title(axes, f'Length of the gradient, {when} tenth of the steps')
    if shared:  # both columns on one scale
      axes.sharey(shared)
      axes.autoscale(axis='y')
      label_round(axes)
      label_ends(axes, labels, _HEIGHT)
    shared = axes
  return figure
