"""Accuracy by class and what is taken for what, for 2 classes or thousands."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from resflax.report.class_scores import (
  MOST_CLASSES,
  Pair,
  class_counts,
  confusions,
  wilson,
  worst_classes,
)
from resflax.report.read import Evaluation
from resflax.report.theme import COLOR, canvas, place

LETTER = 7.5  # pixels for one letter of a class name, rather wide
LONGEST = 20  # letters of a class name


def per_class(evaluation: Evaluation) -> Figure:
  """Draws the accuracy of the worst classes with its 95 % interval."""
  shown = worst_classes(evaluation)
  correct, count = (values[shown] for values in class_counts(evaluation))
  low, high = (100 * bound for bound in wilson(correct, count))
  names = [shorten(evaluation.class_names[i]) for i in shown]
  beside = [f'{correct[i]:,} of {count[i]:,}' for i in range(len(shown))]
  axes = _rows(names, beside, 412)
  y = range(len(shown))
  axes.hlines(y, low, high, color=COLOR['blue'], alpha=0.35, linewidth=5)
  axes.plot(100 * correct / count, y, 'o', color=COLOR['blue'], clip_on=False)
  axes.set_xlim(max(0, np.floor(low.min() / 10) * 10), 100)
  axes.set_xlabel('accuracy, %')
  return axes.figure


def confused_pairs(evaluation: Evaluation) -> Figure:
  """Draws the most frequent mistakes as shares of the true class."""
  pairs = [p for p in confusions(evaluation) if p.label != p.prediction]
  pairs = pairs[:MOST_CLASSES]
  _, count = class_counts(evaluation)
  names = evaluation.class_names
  axes = _rows(
    [
      f'{shorten(names[p.label])} → {shorten(names[p.prediction])}'
      for p in pairs
    ],
    [f'{p.count:,} of {count[p.label]:,}' for p in pairs],
    492,
  )
  share = [100 * pair.count / count[pair.label] for pair in pairs]
  axes.barh(range(len(pairs)), share, height=0.5, color=COLOR['vermilion'])
  axes.set_xlim(0)
  axes.set_xlabel('share of the true class, %')
  return axes.figure


def confusion_matrix(evaluation: Evaluation) -> Figure:
  """Draws how often each class (rows) was taken for each (columns)."""
  names = [shorten(name) for name in evaluation.class_names]
  size = len(names)
  cell = 48 if size <= 5 else 34 if size <= 12 else 24
  longest = LETTER * max(map(len, names)) + 12
  upright = longest > cell
  left, top = longest + 22, (longest if upright else 18) + 26
  figure = canvas(left + max(size * cell, 100) + 4, top + size * cell + 4)
  axes = place(figure, left, top, size * cell, size * cell)
  axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
  _, count = class_counts(evaluation)
  for pair in confusions(evaluation):
    _cell(axes, pair, pair.count / count[pair.label])
  axes.xaxis.tick_top()
  axes.xaxis.set_label_position('top')
  axes.set_xticks(range(size), names, rotation=90 if upright else 0)
  axes.set_yticks(range(size), names)
  borders = np.arange(1, size) - 0.5
  axes.set_xticks(borders, minor=True)
  axes.set_yticks(borders, minor=True)
  axes.grid(visible=False)
  axes.grid(visible=True, which='minor', axis='both')
  axes.tick_params(which='both', length=0)
  axes.set_xlabel('predicted class', loc='left', labelpad=8)
  axes.set_ylabel('true class', loc='top')
  return figure


def _rows(names: list[str], beside: list[str], width: int) -> Axes:
  """Returns axes with one row per name, the first on top, a text at its end."""
  left, right = (
    LETTER * max(map(len, texts), default=0) + 12 for texts in (names, beside)
  )
  right += 12
  height = 22 * len(names)
  figure = canvas(width, height + 48)
  axes = place(figure, left, 4, width - left - right, height)
  axes.grid(axis='both')
  axes.set_ylim(len(names) - 0.5, -0.5)
  axes.set_yticks(range(len(names)), names)
  axes.tick_params(axis='y', labelcolor=COLOR['ink'])
  axes.xaxis.set_major_locator(
    MaxNLocator((width - left - right) // 50, steps=(1, 2, 5, 10))
  )
  axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
  for row, text in enumerate(beside):
    axes.annotate(
      text,
      (1, row),
      (12, 0),
      xycoords=('axes fraction', 'data'),
      textcoords='offset points',
      color=COLOR['soft'],
      fontsize=11,
      va='center_baseline',
    )
  return axes


def _cell(axes: Axes, pair: Pair, share: float) -> None:
  """Fills one cell: blue where right, vermilion where wrong, darker with it."""
  right = pair.label == pair.prediction
  axes.add_patch(
    Rectangle(
      (pair.prediction - 0.45, pair.label - 0.45),
      0.9,
      0.9,
      color=COLOR['blue' if right else 'vermilion'],
      # Square root: one mistake in a hundred has to be seen, too.
      alpha=0.1 + 0.3 * share if right else 0.12 + 0.68 * share**0.5,
      linewidth=0,
    )
  )
  axes.text(
    pair.prediction,
    pair.label,
    f'{pair.count}',
    ha='center',
    va='center_baseline',
    fontsize=11 if pair.count < 1000 else 8,
  )


def shorten(name: str) -> str:
  """Returns a class name on one line and not too long for an axis."""
  name = ' '.join(name.split())
  return name if len(name) <= LONGEST else name[: LONGEST - 1] + '…'
