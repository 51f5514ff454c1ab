"""The look of the report: one palette, light and dark, for text and figures.

A figure is drawn in the light palette's colours, then each of them becomes a
CSS variable in the SVG, so that page and figures turn dark together.
"""

import io
import os
import re
import warnings
from collections.abc import Callable
from html import escape

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resflax.errors import StorageError, UsageError

Pixels = int | float

# The hues are Okabe and Ito's, told apart with every form of colour blindness
# ("Color Universal Design", 2008); blue and vermilion lightened for dark pages.
# name: (on light, on dark). The light ones differ from each other: `svg` finds
# them again by value.
PALETTE = {
  'paper': ('#ffffff', '#15171b'),
  'ink': ('#1c2126', '#e6e8eb'),
  'soft': ('#656d76', '#9aa2ac'),
  'hairline': ('#e1e4e8', '#333940'),
  'gray': ('#8f979f', '#828b95'),
  'blue': ('#0072b2', '#56b4e9'),
  'vermilion': ('#d55e00', '#ff8f45'),
}
COLOR = {name: light for name, (light, _) in PALETTE.items()}

# Lengths are CSS pixels: at 72 dots per inch a matplotlib point is one.
STYLE = {
  'figure.dpi': 72,
  'font.size': 12,
  'text.color': COLOR['ink'],
  'text.parse_math': False,  # a class may be called '$5 bill$'
  'axes.edgecolor': COLOR['hairline'],
  'axes.labelcolor': COLOR['soft'],
  'axes.spines.left': False,
  'axes.spines.right': False,
  'axes.spines.top': False,
  'axes.axisbelow': True,
  'axes.grid': True,
  'axes.grid.axis': 'y',
  'axes.xmargin': 0,
  'grid.color': COLOR['hairline'],
  'grid.linewidth': 1,
  'xtick.labelsize': 11,
  'xtick.color': COLOR['hairline'],
  'xtick.labelcolor': COLOR['soft'],
  'ytick.labelsize': 11,
  'ytick.labelcolor': COLOR['soft'],
  'ytick.major.size': 0,
  'ytick.major.pad': 6,
  'lines.linewidth': 1.75,
  'lines.solid_capstyle': 'round',
  'svg.fonttype': 'none',  # text stays text: the page's font, and searchable
  'svg.hashsalt': 'resflax',  # ids, and so the file, are the same every time
}


def svg(alt: str, draw: Callable[..., Figure], *data: object) -> str:
  """Returns the figure `draw(*data)` as an `<svg>` element for a page.

  Args:
    alt: what the figure shows, for those who cannot see it.
    draw: builds a Figure; its text may hold anything.
    *data: what it is called with.
  """
  buffer = io.StringIO()
  with matplotlib.style.context(STYLE, after_reset=True):
    figure = draw(*data)
    with warnings.catch_warnings():
      # Only matplotlib's own font lacks the glyph; the browser has another.
      warnings.filterwarnings('ignore', 'Glyph .* missing from font')
      figure.savefig(buffer, format='svg', transparent=True)
  element = buffer.getvalue()
  element = element[element.index('<svg') :]
  element = re.sub(r'<metadata>.*?</metadata>', '', element, flags=re.DOTALL)
  width, height = figure.get_size_inches() * 72
  opening = (
    f'<svg role="img" aria-label="{escape(alt)}" width="{width:.0f}" '
    f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
  )
  element = re.sub(r'<svg[^>]*>', opening, element, count=1)
  # Family and fallbacks are the page's; ids that nothing refers to would clash
  # with those of the next figure.
  element = re.sub(r'font: ([\d.]+px) [^;\"]*', r'font-size: \1', element)
  used = set(re.findall(r'#([\w-]+)[")]', element))
  element = re.sub(
    r' id="([^"]*)"', lambda m: m[0] if m[1] in used else '', element
  )
  for name, light in COLOR.items():
    element = element.replace(f': {light}', f': var(--{name})')
  return element.strip()


def check_figure(path: str, flag: str) -> None:
  """Refuses what is no file of a figure.

  Raises:
    UsageError: another kind of file.
  """
  if not path.endswith(('.svg', '.png')):
    raise UsageError(f'{flag}={path} takes a file that ends in .svg or .png.')


def save(
  path: str,
  draw: Callable[..., Figure],
  *data: object,
  flag: str = '--plot',
) -> str:
  """Writes the figure `draw(*data)` to an .svg or .png file of its own.

  Returns:
    The absolute path.

  Raises:
    UsageError: another kind of file.
    StorageError: it cannot be written.
  """
  check_figure(path, flag)
  with matplotlib.style.context(STYLE, after_reset=True):
    figure = draw(*data)
    # The same file every time.
    metadata = {'Date': None} if path.endswith('.svg') else None
    try:
      figure.savefig(path, dpi=144, facecolor=COLOR['paper'], metadata=metadata)
    except OSError as error:
      raise StorageError(
        f'Cannot write {path!r}: {error.strerror or error} ({flag}).'
      ) from error
  return os.path.abspath(path)


def si(value: int | float) -> str:
  """Returns a number with three digits and a prefix, such as `4.1 G`."""
  for unit, prefix in ((1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
    if value >= 0.9995 * unit:
      return f'{value / unit:.3g} {prefix}'
  return f'{value:.3g}'


def canvas(width: Pixels, height: Pixels) -> Figure:
  """Returns an empty Figure of so many pixels."""
  return Figure(figsize=(width / 72, height / 72))


def place(
  figure: Figure,
  left: Pixels,
  top: Pixels,
  width: Pixels,
  height: Pixels,
) -> Axes:
  """Adds axes at a place in pixels from the figure's upper left corner."""
  full_width, full_height = figure.get_size_inches() * 72
  return figure.add_axes(
    (
      left / full_width,
      1 - (top + height) / full_height,
      width / full_width,
      height / full_height,
    ),
  )
