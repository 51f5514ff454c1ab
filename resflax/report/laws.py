"""The figures of a fit: its law with residuals, and its Pareto frontiers.

Drawn from what `fit.json` holds, and nothing else.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from resflax.report import student
from resflax.report.theme import COLOR, canvas, place
from resflax.report.ticks import label_powers, label_round

COLORS = ('blue', 'vermilion', 'gray')  # again from the first on
WORDS = {'error': 'error, %', 'loss': 'cross-entropy, nats'}
COSTS = {
  'macs': 'MACs of an image',
  'step_ms': 'measured step of 128 images, ms',
  'tpu_ms': 'TPU v3 core, step of 128 images, ms',
}
_ROOM = 1.6  # times the largest mean, at most


def draw_laws(series: Sequence[tuple[str, dict]]) -> Figure:
  """Draws points, law and band over compute, and the residuals below.

  Args:
    series: a name and what `fit.json` holds, of each sweep.
  """
  laws = [shown_law(fit) for _, fit in series]
  fitted = any(law is not None for law in laws)
  figure = canvas(720, 536 if fitted else 384)
  above = place(figure, 72, 16, 470, 320)
  for (name, fit), law, color in zip(series, laws, cycle(COLORS), strict=False):
    _draw_points(above, name, fit, law, COLOR[color])
    if law is not None:
      _draw_law(above, law, fit, COLOR[color])
  above.set(xscale='log', yscale='log', ylabel=WORDS[series[0][1]['metric']])
  above.margins(x=0.05)
  _limit(above, [fit for _, fit in series])
  label_powers(above, 'compute')
  label_round(above)
  above.legend(
    *_points_first(above),
    loc='upper left',
    bbox_to_anchor=(1.02, 1),
    frameon=False,
  )
  last = above
  if fitted:
    last = place(figure, 72, 368, 470, 110)
    for (_, fit), law, color in zip(series, laws, cycle(COLORS), strict=False):
      if law is not None:
        _draw_residuals(last, law, fit, COLOR[color])
    last.axhline(0, color=COLOR['gray'], linewidth=1)
    last.set(xscale='log', xlim=above.get_xlim(), ylabel='residual, %')
    label_powers(last, 'compute')
  last.set_xlabel('compute of training, FLOPs')
  return figure


def _limit(axes: Axes, fits: Sequence[dict]) -> None:
  """Lets wide intervals of few seeds run out of the frame."""
  means = [_factor(f) * point['mean'] for f in fits for point in f['points']]
  low, high = axes.get_ylim()
  axes.set_ylim(max(low, min(means) / _ROOM), min(high, max(means) * _ROOM))


def draw_frontiers(
  series: Sequence[tuple[str, dict]], words: Mapping[str, str] = COSTS
) -> Figure:
  """Draws accuracy over each known cost, the frontiers joined.

  Args:
    series: a name and what `fit.json` holds, of each sweep.
    words: what the axis of a cost says.
  """
  costs = [
    cost for cost in words if any(fit['pareto'][cost] for _, fit in series)
  ]
  figure = canvas(110 + 330 * len(costs), 350)
  for column, cost in enumerate(costs):
    axes = place(figure, 72 + 330 * column, 16, 270, 280)
    for (name, fit), color in zip(series, cycle(COLORS), strict=False):
      _draw_frontier(axes, name, fit, cost, COLOR[color])
    axes.set(xscale='log', xlabel=words[cost])
    axes.margins(x=0.05)
    label_powers(axes, cost)
    if not column:
      axes.set_ylabel(_accuracy_word(series[0][1]['metric']))
      axes.legend(loc='lower right', frameon=False)
  return figure


def shown_law(fit: dict) -> dict | None:
  """Returns the law of the frontier, or of all points, or None."""
  name = shown_name(fit)
  return fit['laws'][name] if name else None


def shown_name(fit: dict) -> str | None:
  """Returns which law speaks for a sweep."""
  names = ('frontier', 'all')
  return next((n for n in names if 'refused' not in fit['laws'][n]), None)


def _draw_points(axes: Axes, name, fit, law, color) -> None:
  """Each point with the interval of its seeds' mean.

  Those that the law was fitted to are filled.
  """
  every = range(len(fit['points']))
  used = set(law['points'] if law else every)
  for filled, label in ((True, name), (False, f'{name}, not fitted')):
    chosen = [fit['points'][i] for i in every if (i in used) == filled]
    if not chosen:
      continue
    mean = _factor(fit) * np.array([point['mean'] for point in chosen])
    ratio = np.exp(half_widths(chosen, fit))
    axes.errorbar(
      [point['compute'] for point in chosen],
      mean,
      [mean - mean / ratio, mean * ratio - mean],
      fmt='o',
      color=color,
      markersize=5,
      markerfacecolor=color if filled else COLOR['paper'],
      linewidth=1,
      label=label,
    )


def half_widths(
  points: Sequence[dict], fit: dict
) -> Float[np.ndarray, ' points']:
  """Returns those of the logs of the points' means, at the level of the fit.

  Student's, of a spread that all points of the fit share: of two seeds alone
  it would be a guess. Nothing where no point has two.
  """
  metric = fit['metric']
  spread = student.common_half_width(
    [np.log(point[metric]) for point in fit['points']], fit['level']
  )
  return spread / np.sqrt([len(point[metric]) for point in points])


def _draw_law(axes: Axes, law: dict, fit: dict, color) -> None:
  band, factor = law['band'], _factor(fit)
  compute = np.array(band['compute'])
  low, high = law['exponent']['interval']
  axes.plot(
    compute,
    factor * np.array(band['law']),
    color=color,
    label=f'exponent {law["exponent"]["value"]:.3f}\n'
    f'{fit["level"]:.0%} {low:.3f} to {high:.3f}',
  )
  axes.fill_between(
    compute,
    factor * np.array(band['low']),
    factor * np.array(band['high']),
    color=color,
    alpha=0.15,
    linewidth=0,
  )
  label = 'held out: predicted'
  for row in law.get('held_out', ()):
    low, high = row['interval']
    axes.plot(
      [row['compute']] * 2,
      [factor * low, factor * high],
      color=COLOR['gray'],
      linewidth=4,
      alpha=0.5,
      label=None if label in _labels(axes) else label,
    )


def _points_first(axes: Axes) -> tuple[list, list]:
  """Returns handles and labels of a legend, which would begin with lines."""
  both = zip(*axes.get_legend_handles_labels(), strict=True)
  ordered = sorted(both, key=lambda b: not isinstance(b[0], ErrorbarContainer))
  handles, labels = zip(*ordered, strict=True)
  return list(handles), list(labels)


def _labels(axes: Axes) -> list[str]:
  return axes.get_legend_handles_labels()[1]


def _draw_residuals(axes: Axes, law: dict, fit: dict, color) -> None:
  compute = [fit['points'][index]['compute'] for index in law['points']]
  percent = 100 * np.expm1(law['residuals'])
  axes.plot(compute, percent, 'o', color=color, markersize=5)


def _draw_frontier(axes: Axes, name, fit, cost, color) -> None:
  known = [p for p in fit['points'] if p[cost] is not None]
  if not known:
    return
  y = _accuracy(np.array([p['mean'] for p in known]), fit['metric'])
  axes.plot([p[cost] for p in known], y, 'o', color=color, alpha=0.35)
  best = [fit['points'][index] for index in fit['pareto'][cost]]
  mean = np.array([p['mean'] for p in best])
  ratio = np.exp(half_widths(best, fit))
  y, *ends = (
    _accuracy(part, fit['metric'])
    for part in (mean, mean / ratio, mean * ratio)
  )
  low, high = np.sort(ends, axis=0)
  axes.errorbar(
    [p[cost] for p in best],
    y,
    [y - low, high - y],
    fmt='o-',
    color=color,
    label=name,
  )


def _accuracy(
  mean: Float[np.ndarray, ' points'], metric: str
) -> Float[np.ndarray, ' points']:
  return 100 * (1 - mean) if metric == 'error' else mean


def _accuracy_word(metric: str) -> str:
  return 'top-1, %' if metric == 'error' else WORDS[metric]


def _factor(fit: dict) -> int:
  return 100 if fit['metric'] == 'error' else 1
