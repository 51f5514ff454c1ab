"""Labels of log axes, without math text."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
  FuncFormatter,
  LogLocator,
  MaxNLocator,
  NullLocator,
)

from resflax.report.theme import si

_UNITS = {
  'compute': lambda value, _: f'{value:.2g}'.replace('e+', 'e'),
  'macs': lambda value, _: si(value),
}
_TICKS = 4  # at least
_ROUND = (  # parts of a power of ten, the coarsest first
  (1,),
  (1, 2, 5),
  (1, 1.5, 2, 3, 4, 6),
  np.arange(1, 10, 0.5),
  np.arange(1, 10, 0.2),
  np.arange(1, 10, 0.1),
)
_ONE = 4  # times the first value: a power of ten, or three, may not be in it
_MANY = 1e3  # from the first value to the last: ticks at powers of ten alone


def _plain(value: float, _) -> str:
  return f'{value:g}'


def label_powers(axes: Axes, cost: str) -> None:
  """Labels a log axis of costs."""
  low, high = axes.get_xlim()
  if high < _ONE * low:
    locator = MaxNLocator(3)
  else:
    locator = LogLocator(subs=(1,) if high > _MANY * low else (1, 3))
  axes.xaxis.set_major_locator(locator)
  axes.xaxis.set_major_formatter(FuncFormatter(_UNITS.get(cost, _plain)))
  axes.xaxis.set_minor_locator(NullLocator())


def label_round(axes: Axes) -> None:
  """Labels a log axis of y at round values."""
  low, high = axes.get_ylim()
  powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(high) + 1)
  for steps in _ROUND:
    ticks = np.outer(powers, steps).ravel()
    ticks = ticks[(low <= ticks) & (ticks <= high)]
    if len(ticks) >= _TICKS:
      break
  axes.set_yticks(ticks)
  axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
  axes.yaxis.set_minor_locator(NullLocator())
