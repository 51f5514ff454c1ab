"""How a run went: small multiples over the training step."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from resflax.report.read import Run
from resflax.report.series import stage_changes, thin
from resflax.report.theme import COLOR, canvas, place
from resflax.report.ticks import label_round

WIDTH, LEFT, RIGHT = 940, 48, 142
TITLE, GAP, BOTTOM = 30, 16, 44
ROUND = (1, 2, 5, 10)  # distances of ticks
LINE = 15  # height of the text at the end of a curve
GRADIENT = 'train/gradient_norm/'
MOST_STAGES = 12  # that get their resolution written on them

Label = tuple[float, str, str]  # y in data units, text, colour


def logged_panels(run: Run) -> list[tuple]:
  """Returns those of `PANELS` for which a run has logged something."""
  return [
    panel for panel in PANELS if any(len(run.series(k)[0]) for k in panel[1])
  ]


def curves(run: Run) -> Figure:
  """Draws accuracy, loss, learning rate, resolution and images/s over steps.

  Panels share the step axis; what was not logged has no panel. Each curve ends
  in its name and last value, so that there is no legend to look up.
  """
  panels = logged_panels(run)
  heights = [height for _, _, height, _ in panels]
  total = sum(heights) + len(panels) * (TITLE + GAP) - GAP + BOTTOM
  figure = canvas(WIDTH, total)
  last_step = max(1, run.rows[-1]['step'])
  top = 0
  for title, _, height, draw in panels:
    axes = place(figure, LEFT, top + TITLE, WIDTH - LEFT - RIGHT, height)
    axes.set_xlim(0, last_step)
    for step in stage_changes(run):
      axes.axvline(step, color=COLOR['hairline'], linewidth=1.5)
    labels = draw(axes, run)
    panel_title(axes, title)
    label_ends(axes, labels, height)
    axes.tick_params(axis='x', length=0, labelbottom=False)
    top += TITLE + height + GAP
  axes.tick_params(axis='x', length=4, labelbottom=True)
  count_axis(axes)
  axes.set_xlabel('training step')
  return figure


def count_axis(axes: Axes) -> None:
  """Labels an axis of steps, which are whole however few there are."""
  axes.xaxis.set_major_locator(MaxNLocator('auto', integer=True))
  axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f'{step:,.0f}'))


def gradient_parts(run: Run) -> list[str]:
  """Returns the parts whose gradient was logged: stem, stages and head."""
  logged = next((r for r in run.rows if f'{GRADIENT}stem' in r), {})
  parts = [k.removeprefix(GRADIENT) for k in logged if k.startswith(GRADIENT)]
  return sorted(parts, key=lambda p: (p == 'head', p != 'stem', p))


def spread(
  heights: Float[np.ndarray, ' labels'],
) -> Float[np.ndarray, ' labels']:
  """Moves ascending heights as little as it takes to be `LINE` pixels apart.

  Least squares under an order constraint is isotonic regression, which has a
  closed form: the largest over starts of the smallest over ends of the mean.
  """
  slots = LINE * np.arange(len(heights))
  free = heights - slots
  count = len(free)
  fitted = [
    max(
      min(free[start : end + 1].mean() for end in range(i, count))
      for start in range(i + 1)
    )
    for i in range(count)
  ]
  return np.array(fitted) + slots


def panel_title(axes: Axes, text: str) -> None:
  """Writes a panel's name above its axis."""
  axes.annotate(
    text,
    (0, 1),
    (-LEFT, 13),
    xycoords='axes fraction',
    textcoords='offset points',
    fontweight='bold',
  )


def label_ends(axes: Axes, labels: list[Label], height: int) -> None:
  """Writes each curve's label beside its end, none over another."""
  labels = sorted(labels)
  ends = axes.transData.transform([(0, y) for y, _, _ in labels])
  wanted = height * axes.transAxes.inverted().transform(ends)[:, 1]
  # Inside of the panel, as far as they fit.
  lowest = LINE * np.arange(len(labels))
  places = np.clip(spread(wanted), lowest, lowest + height - lowest.max())
  for y, (_, text, color) in zip(places, labels, strict=True):
    axes.annotate(
      text,
      (1, 0),
      (12, y),
      xycoords='axes fraction',
      textcoords='offset points',
      color=color,
      va='center_baseline',
    )


def _line(axes: Axes, run: Run, key: str, color: str, scale=1) -> float:
  """Draws one curve, a long one with the range it moved in; returns its end."""
  steps, values = run.series(key)
  values = values * scale
  x = thin(steps)
  if len(x) < len(steps):
    low, high = thin(values, np.minimum), thin(values, np.maximum)
    axes.fill_between(x, low, high, color=COLOR[color], alpha=0.2, linewidth=0)
  dot = '.' if len(x) == 1 else ''  # a line through one point is nothing
  axes.plot(x, thin(values), dot + '-', color=COLOR[color])
  return values[-1]


def _compared(axes: Axes, run: Run, metric: str, scale: int, form: str):
  """Draws a metric in training, validation and test; returns their labels."""
  labels = []
  for split, name, color in (
    ('train', 'train', 'gray'),
    ('eval', 'validation', 'blue'),
    ('test', 'test', 'vermilion'),
  ):
    key = f'{split}/{metric}'
    if not len(run.series(key)[0]):
      continue
    end = _line(axes, run, key, color, scale)
    text_color = COLOR['soft' if split == 'train' else color]
    labels.append((end, f'{name} {form.format(end)}', text_color))
    if split == 'test':
      step = run.series(key)[0][-1]
      axes.plot(step, end, 'D', ms=7, color=COLOR[color], clip_on=False)
  return labels


def _accuracy(axes: Axes, run: Run) -> list[Label]:
  labels = _compared(axes, run, 'top1', 100, '{:.2f}')
  _, validation = run.series('eval/top1')
  most = 100 * np.quantile(validation, 0.25) if len(validation) else 0
  reached = min(most, *(end for end, _, _ in labels))
  show_accuracy(axes, reached)
  return labels


def show_accuracy(axes: Axes, reached: int | float) -> None:
  """Starts the axis of accuracy where late differences still show.

  On an axis from 0 they drown: the highest of these that all which matters is
  above.

  Args:
    axes: of accuracy in percent.
    reached: the lowest of what has to be seen.
  """
  bottom = max(floor for floor in (0, 50, 80, 90) if floor <= reached)
  axes.set_ylim(bottom, 100)
  axes.yaxis.set_major_locator(MaxNLocator(5, steps=ROUND))


def _loss(axes: Axes, run: Run) -> list[Label]:
  labels = _compared(axes, run, 'loss', 1, '{:.3f}')
  axes.set_ylim(bottom=0)
  axes.yaxis.set_major_locator(MaxNLocator(4, steps=ROUND))
  return labels


def _learning_rate(axes: Axes, run: Run) -> list[Label]:
  end = _line(axes, run, 'lr', 'gray')
  axes.set_ylim(bottom=0)
  axes.yaxis.set_major_locator(MaxNLocator(3, steps=ROUND))
  axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
  return [(end, f'{end:.2g}', COLOR['soft'])]


def _resolution(axes: Axes, run: Run) -> list[Label]:
  steps, resolution = run.series('resolution')
  starts = np.insert(stage_changes(run), 0, 0)
  sides = resolution[np.insert(np.diff(resolution) != 0, 0, True)]
  axes.step(
    [*starts, steps[-1]], [*sides, sides[-1]], where='post', color=COLOR['gray']
  )
  axes.set_ylim(0, 1.15 * max(sides))
  axes.set_yticks([])
  # On the step itself rather than on an axis: sides are few and irregular.
  for start, side in list(zip(starts, sides, strict=True))[:MOST_STAGES]:
    axes.annotate(
      f'{side:.0f}',
      (start, side),
      (5, -14),
      textcoords='offset points',
      color=COLOR['soft'],
      fontsize=11,
    )
  return [(sides[-1], f'{sides[-1]:.0f} pixels', COLOR['soft'])]


def _throughput(axes: Axes, run: Run) -> list[Label]:
  end = _line(axes, run, 'images_per_second', 'gray')
  axes.set_ylim(bottom=0)
  axes.yaxis.set_major_locator(MaxNLocator(3, steps=ROUND))
  axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f'{rate:,.0f}'))
  return [(end, f'{end:,.0f} images/s', COLOR['soft'])]


def _gradients(axes: Axes, run: Run) -> list[Label]:
  labels = []
  parts = gradient_parts(run)
  for number, part in enumerate(parts):
    # The deeper, the darker: an order, not names to look up.
    shade = 0.25 + 0.75 * (number + 1) / len(parts)
    steps, values = run.series(f'{GRADIENT}{part}')
    axes.plot(thin(steps), thin(values), color=COLOR['blue'], alpha=shade)
    labels.append((values[-1], f'{part} {values[-1]:.2g}', COLOR['soft']))
  axes.set_yscale('log')
  label_round(axes)
  return labels


# title with its unit, keys of which one has to be there, height, what draws it
PANELS = (
  ('Top-1 accuracy, %', ('train/top1', 'eval/top1'), 190, _accuracy),
  ('Loss, nats', ('train/loss', 'eval/loss'), 130, _loss),
  ('Length of the gradient', (f'{GRADIENT}stem',), 130, _gradients),
  ('Learning rate', ('lr',), 62, _learning_rate),
  ('Image side, pixels', ('resolution',), 62, _resolution),
  ('Training images per second', ('images_per_second',), 62, _throughput),
)
