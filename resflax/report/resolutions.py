"""Accuracy over the resolution of evaluation, as one picture."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from resflax.report.theme import COLOR, canvas, place


def draw_curve(outcomes: Sequence[Mapping], trained: int) -> Figure:
  """Draws top-1 over pixels, the training resolution as a line.

  Source: Touvron et al. 2019 (FixRes), figure 5.

  Args:
    outcomes: `resolution` in pixels and `top1` in 0..1 of each evaluation.
    trained: resolution of the last stage of training, in pixels.
  """
  figure = canvas(520, 300)
  axes = place(figure, 64, 36, 420, 208)
  sizes = [outcome['resolution'] for outcome in outcomes]
  scores = [100 * outcome['top1'] for outcome in outcomes]
  axes.axvline(trained, color=COLOR['hairline'], linewidth=1.5)
  axes.plot(sizes, scores, 'o-', color=COLOR['blue'], clip_on=False)
  best = max(range(len(scores)), key=scores.__getitem__)
  axes.annotate(
    f'{scores[best]:.1f} at {sizes[best]}',
    (sizes[best], scores[best]),
    xytext=(0, 8),
    textcoords='offset points',
    ha='center',
    color=COLOR['blue'],
  )
  axes.margins(y=0.2)
  title = f'Top-1, %, by test resolution; trained at {trained} pixels'
  axes.set_title(title, loc='left', fontsize=12, color=COLOR['soft'])
  axes.set_xlabel('pixels a side')
  return figure
