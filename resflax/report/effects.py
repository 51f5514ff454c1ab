"""What a change in the recipe changed, from the runs of a sweep."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from resflax.report.student import paired
from resflax.report.theme import COLOR, canvas, place

ROW, LETTER = 22, 6  # pixels
_CHANCE = 1e-6  # points: an interval of no width, but for rounding


class Effect(NamedTuple):
  """A label's score, and how it differs from that of another label.

  Attributes:
    label: of the runs.
    count: of their seeds.
    mean: of their scores.
    against: the label they are compared with, or empty.
    difference: mean over the seeds that both have; NaN without any.
    half_width: of the 95 % interval of the difference; NaN below two seeds.
    published: the difference that a paper has; NaN without one.
  """

  label: str
  count: int
  mean: float
  against: str
  difference: float
  half_width: float
  published: float = math.nan

  @property
  def is_resolved(self) -> bool:
    """Whether the interval leaves out zero.

    Equal differences of a few images have an interval of no width, which is
    chance and no certainty.
    """
    return abs(self.difference) > self.half_width > _CHANCE

  @property
  def is_compared(self) -> bool:
    """Whether both labels have a seed in common."""
    return not np.isnan(self.difference)

  @property
  def is_published(self) -> bool:
    """Whether a paper has this difference."""
    return not math.isnan(self.published)

  @property
  def points(self) -> str:
    """The difference, with its interval where there is one."""
    if not self.is_compared:
      return ''
    alone = np.isnan(self.half_width)
    interval = '(one seed)' if alone else f'± {self.half_width:.2f}'
    return f'{self.difference:+.2f} {interval}'


def effects(
  rows: Sequence[Mapping], key: str = 'test/top1', scale: int | float = 100
) -> list[Effect]:
  """Returns the labels of a sweep in their order.

  Differences are paired by the seed: equal seeds have an equal initialisation
  and order of examples. The interval is Student's.

  Args:
    rows: of finished runs, as in `runs.jsonl`.
    key: of the score.
    scale: what scores are multiplied with.
  """
  scores: dict[str, dict[int, float]] = {}
  against, published = {}, {}
  for row in rows:
    seeds = scores.setdefault(row['label'], {})
    seeds[row['fields'].get('seed', 0)] = scale * row[key]
    against[row['label']] = row.get('against', '')
    if (beside := row.get('published')) is not None:
      published[row['label']] = beside
  return [
    Effect(
      label,
      len(seeds),
      float(np.mean(list(seeds.values()))),
      against[label],
      *paired(seeds, scores.get(against[label], {})),
      published.get(label, math.nan),
    )
    for label, seeds in scores.items()
  ]


def draw_effects(found: Sequence[Effect]) -> Figure:
  """Draws each difference with its interval, a row each.

  A diamond is what a paper has for it.
  """
  shown = [effect for effect in found if effect.is_compared]
  count = max(1, len(shown))  # an empty figure has a height too
  height = ROW * count
  names = [f'{effect.label} against {effect.against}' for effect in shown]
  left = max(190, 20 + LETTER * max(map(len, names), default=0))
  figure = canvas(left + 530, height + 72)
  axes = place(figure, left, 24, 330, height)
  axes.axvline(0, color=COLOR['gray'], linewidth=1)
  for y, effect in enumerate(shown):
    color = COLOR['blue' if effect.is_resolved else 'gray']
    half = 0 if np.isnan(effect.half_width) else effect.half_width
    ends = [effect.difference - half, effect.difference + half]
    axes.plot(ends, [y, y], color=color)
    axes.plot(effect.difference, y, 'o', color=color)
    if effect.is_published:
      style = {'color': COLOR['vermilion'], 'fillstyle': 'none'}
      axes.plot(effect.published, y, 'D', **style)
    axes.annotate(
      effect.points,
      (1, y),
      (12, 0),
      xycoords=('axes fraction', 'data'),
      textcoords='offset points',
      va='center_baseline',
      color=COLOR['soft'],
    )
  axes.set_yticks(range(len(shown)), names)
  axes.set_ylim(count - 0.5, -0.5)
  axes.margins(x=0.1)
  axes.grid(axis='y', visible=False)
  label = 'difference in points of top-1, with 95 % intervals'
  if any(effect.is_published for effect in shown):
    label += ' (diamonds: published)'
  axes.set_xlabel(label)
  return figure
