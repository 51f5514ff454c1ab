"""How the labels of a sweep went: their validation, overlaid."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resflax.report.curves import (
  BOTTOM,
  GAP,
  LEFT,
  LINE,
  TITLE,
  WIDTH,
  Label,
  count_axis,
  label_ends,
  panel_title,
)
from resflax.report.theme import COLOR, canvas, place
from resflax.report.ticks import label_powers

MOST_NAMES = 24  # beside the curves; with more, the best have theirs
MOST_TRACKS = 200
_LEAST_HEIGHT = 200
_LEAST_SPAN = 4  # points of accuracy
_MARGIN = 0.03  # beside the last end, of the decades of compute
_LETTER = 6.5  # pixels, about
_MOST_LETTERS = 32  # of a label and its value


class Track(NamedTuple):
  """A metric of a label over the steps or the compute of training.

  Attributes:
    label: of the runs.
    x: steps, or FLOPs.
    mean: over the seeds that have come furthest.
    low: of them.
    high: of them.
    color: of the palette.
  """

  label: str
  x: Float[np.ndarray, ' points']
  mean: Float[np.ndarray, ' points']
  low: Float[np.ndarray, ' points']
  high: Float[np.ndarray, ' points']
  color: str


class Panel(NamedTuple):
  """Tracks of one metric; in accuracy, more is better."""

  title: str
  tracks: Sequence[Track]
  is_accuracy: bool


def draw_tracks(panels: Sequence[Panel], is_compute: bool) -> Figure:
  """Draws a panel a metric; each curve ends in its label and last value.

  Over compute some end in the middle, where a number leads to the label.

  Args:
    panels: one at least, with a track each at least.
    is_compute: x is in FLOPs; else in steps.
  """
  height = max(_LEAST_HEIGHT, LINE * len(named(panels[0])))
  numbers = _numbers(panels) if is_compute else {}
  labels = [_labels(panel, numbers) for panel in panels]
  texts = [text for of_panel in labels for _, text, _ in of_panel]
  right = 20 + _LETTER * max(map(len, texts))
  figure = canvas(WIDTH, len(panels) * (TITLE + height + BOTTOM + GAP) - GAP)
  for number, (panel, of_panel) in enumerate(zip(panels, labels, strict=True)):
    top = number * (TITLE + height + BOTTOM + GAP) + TITLE
    axes = place(figure, LEFT, top, WIDTH - LEFT - right, height)
    for track in sorted(panel.tracks, key=lambda track: track.color != 'gray'):
      _draw(axes, track)
    axes.set_ylim(*_range(panel))
    _limit(axes, panels, is_compute)
    _name_axis(axes, is_compute)
    panel_title(axes, panel.title)
    label_ends(axes, of_panel, height)
    _number_ends(axes, panel, numbers)
  return figure


def _range(panel: Panel) -> tuple[int | float, int | float]:
  """Returns limits between which the differences of the ends show.

  The beginning may lie outside of them.
  """
  ends = [track.mean[-1] for track in panel.tracks]
  if panel.is_accuracy:
    span = max(max(ends) - min(ends), _LEAST_SPAN)
    return max(0, min(ends) - span), min(100, max(ends) + span / 4)
  least = min(track.mean.min() for track in panel.tracks)
  first = np.quantile([track.mean[0] for track in panel.tracks], 0.75)
  most = max(first, *ends)
  return max(0, least - (most - least) / 4), most + (most - least) / 20


def named(panel: Panel) -> list[Track]:
  """Returns the tracks that have their name beside them."""
  if len(panel.tracks) <= MOST_NAMES:
    return list(panel.tracks)
  sign = -1 if panel.is_accuracy else 1
  best = sorted(panel.tracks, key=lambda track: sign * track.mean[-1])
  return best[:MOST_NAMES]


def _from_above(panel: Panel) -> list[Track]:
  return sorted(named(panel), key=lambda track: track.mean[-1], reverse=True)


def _numbers(panels: Sequence[Panel]) -> dict[str, int]:
  """Returns a number a label, the same in all panels; none for a single one."""
  labels = [track.label for panel in panels for track in _from_above(panel)]
  first = dict.fromkeys(labels)
  return {label: n for n, label in enumerate(first, 1) if len(first) > 1}


def _labels(panel: Panel, numbers: Mapping[str, int]) -> list[Label]:
  labels = []
  for track in _from_above(panel):
    end, text, color = _label(panel, track)
    number = f'{numbers[track.label]} ' if numbers else ''
    labels.append((end, number + text, color))
  return labels


def _number_ends(axes: Axes, panel: Panel, numbers: Mapping[str, int]) -> None:
  for track in named(panel) if numbers else ():
    axes.annotate(
      str(numbers[track.label]),
      (track.x[-1], track.mean[-1]),
      (0, 5),
      textcoords='offset points',
      ha='center',
      fontsize=9,
      color=COLOR['soft'],
    )


def _label(panel: Panel, track: Track) -> Label:
  end = track.mean[-1]
  value = f'{end:.2f}' if panel.is_accuracy else f'{end:.3f}'
  color = COLOR['soft' if track.color == 'gray' else track.color]
  name, half = track.label, (_MOST_LETTERS - len(value)) // 2
  if len(name) > 2 * half:
    name = f'{name[: half - 1]}…{name[-half:]}'  # labels differ at either end
  return end, f'{name} {value}', color


def _draw(axes: Axes, track: Track) -> None:
  color, front = COLOR[track.color], track.color != 'gray'
  if front and (track.low < track.high).any():
    axes.fill_between(
      track.x, track.low, track.high, color=color, alpha=0.15, linewidth=0
    )
  axes.plot(
    track.x,
    track.mean,
    '.-' if len(track.x) == 1 else '-',
    color=color,
    linewidth=1.75 if front else 1,
  )
  axes.plot(track.x[-1], track.mean[-1], 'o', color=color, markersize=4)


def _limit(axes: Axes, panels: Sequence[Panel], is_compute: bool) -> None:
  """Gives all panels the same axis, which what is logged first begins."""
  tracks = [track for panel in panels for track in panel.tracks]
  low = min(track.x[0] for track in tracks) if is_compute else 0
  high = max(track.x[-1] for track in tracks)
  if low < high:  # else each has a single point
    beside = (high / low) ** _MARGIN if is_compute else 1
    axes.set_xlim(low, high * beside)


def _name_axis(axes: Axes, is_compute: bool) -> None:
  axes.tick_params(axis='x', length=4)
  if not is_compute:
    count_axis(axes)
    axes.set_xlabel('training step')
    return
  axes.set_xscale('log')
  label_powers(axes, 'compute')
  axes.set_xlabel('compute of training, FLOPs')
