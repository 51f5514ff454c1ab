"""A fit and a plan in words and rows, for the terminal and for pages."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from resflax.rules import UNDECIDED

LAW_COLUMNS = ('law', 'points', 'decades', '', 'value')  # then the intervals
PARAMETERS = ('exponent', 'floor', 'scale')
_NOTHING = 1e-5  # a floor below it is none: the search ends there


def named(laws: Mapping[str, Mapping]) -> dict[str, Mapping]:
  """Returns the laws by name; those of the same points share a name."""
  names: dict[object, list[str]] = {}
  for name, entry in laws.items():
    same = tuple(sorted(entry['points'])) or name
    names.setdefault(same, []).append(name)
  return {' = '.join(n): laws[n[0]] for n in names.values()}


def law_columns(level: float) -> tuple[str, ...]:
  """Returns the names of the columns of `law_rows`."""
  return (*LAW_COLUMNS, f'{level:.0%}, profile', 'BCa', 'refused', 'misfit p')


def law_rows(laws: Mapping[str, Mapping]) -> Iterator[tuple[str, ...]]:
  """Yields a row a parameter; what belongs to the law stands in its first."""
  for law, entry in laws.items():
    if 'refused' in entry:
      continue
    misfit = entry['lack_of_fit_p']
    before = law, str(len(entry['points'])), f'{entry["decades"]:.2f}'
    after = (
      f'{entry["refits_refused"]:.1%}',
      '' if misfit is None else f'{misfit:.2g}',
    )
    for parameter in PARAMETERS:
      value = entry[parameter]
      ends = (ranged(value[kind]) for kind in ('interval', 'bca'))
      yield (*before, parameter, number(value['value']), *ends, *after)
      before, after = ('',) * 3, ('',) * 2


def law_lines(
  laws: Mapping[str, Mapping], level: float, metric: str
) -> Iterator[str]:
  """Yields why laws are refused, and what the others say of held-out runs."""
  for law, entry in laws.items():
    if 'refused' in entry:
      yield f'{law}: no law: {entry["refused"]}'
    if 'held_out_refused' in entry:
      yield f'{law}: nothing held out: {entry["held_out_refused"]}'
    for row in entry.get('held_out', ()):
      yield _prediction(law, row, f'{level:.0%}', metric)


def _prediction(law: str, row: Mapping, level: str, metric: str) -> str:
  verdict = 'inside' if row['inside'] else 'OUTSIDE: the law breaks'
  return (
    f'{law} without {row["label"]} says {measure(row["predicted"], metric)} '
    f'({level} {" to ".join(measure(x, metric) for x in row["interval"])}); '
    f'it reached {measure(row["measured"], metric)}, {verdict}'
  )


def pair_line(row: Mapping) -> str:
  """Returns what a deep and a wide net of equal MACs say."""
  words = f'{row["wide"]} minus {row["deep"]}, {row["epochs"]:.3g} epochs: '
  points = [100 * part for part in row['error']]
  words += f'error {difference(points, ".2f", " points")}, '
  words += f'held-out cross-entropy {difference(row["held_out"])}, '
  if row['train']:
    words += f'on training images {difference(row["train"])}, '
  else:
    words += 'on training images not measured (--train_loss), '
  return words + f'so grow {row["grow"]}'


def difference(
  found: Sequence[float], digits: str = '.4f', unit: str = ''
) -> str:
  """Returns a mean over paired seeds and its half-width in words."""
  mean, half = found
  if isfinite(half):
    return f'{mean:+{digits}} ± {half:{digits}}{unit}'
  return f'{mean:+{digits}}{unit} (one seed)'


def told(plan: Mapping) -> list[str]:
  """Returns a plan in sentences, without the fields and their reasons."""
  low, high = plan['predicted']['interval']
  says = functools.partial(measure, metric=plan['metric'])
  what = {'error': 'error', 'loss': 'cross-entropy'}[plan['metric']]
  lines = [
    f'Budget: {plan["budget"]}; it costs {plan["compute"]:.3g} FLOPs of '
    f'training, {plan["macs"] / 1e9:.3g} GMAC an image, '
    f'{plan["params"]:,} parameters.',
    f'Predicted {what}: {says(plan["predicted"]["value"])} '
    f'({plan["level"]:.0%} {says(low)} to {says(high)}), by the law of '
    f'{_of(plan["law"])}.',
    f'It {_lies(plan)}.',
    f'Depth or width: {plan["grow"]}; {plan["evidence"]}.',
  ]
  if not plan['is_new']:
    lines.append(
      f'That is {plan["anchor"]}, which the sweep has trained: no step fits in '
      'between. A larger budget grows it.'
    )
  lines += [f'Doubt: {doubt}.' for doubt in plan['doubts']]
  if plan['grow'] == UNDECIDED and plan['would_decide']:
    lines.append(f'To decide, {_pair(plan["would_decide"])}.')
  return lines


def _of(law: str) -> str:
  return 'the frontier' if law == 'frontier' else 'all designs'


def _lies(plan: Mapping) -> str:
  beyond = plan['decades_beyond']
  if beyond <= 0:
    return 'lies inside the sweep: nothing is extrapolated'
  return (
    f'lies {beyond:.2f} decades of compute ({10**beyond:.3g} times) beyond the '
    f'largest run, after {plan["decades_of_sweep"]:.2f} decades of sweep'
  )


def _pair(runs: Sequence[Mapping]) -> str:
  """Returns the two runs as overrides of `scripts.train`."""
  shapes = ' and '.join(
    f'{_shape(run["fields"])} ({run["compute"]:.3g} FLOPs)' for run in runs
  )
  return f'run {shapes} with the same seeds, 3 and more'


def _shape(fields: Mapping) -> str:
  names = 'model.depths', 'model.width', 'resolution.train'
  return shaped(*(fields[name] for name in names))


def shaped(depths: Sequence[int], width: float, resolution: int) -> str:
  """Returns a shape in words."""
  blocks = '-'.join(map(str, depths))
  return f'{blocks} blocks of width {width:.8g} at {resolution} px'


def number(value: float) -> str:
  """Returns a parameter of a law in words."""
  return f'{value:.3g}' if value > _NOTHING else '0'


def measure(value: float, metric: str) -> str:
  """Returns an error in percent, or a cross-entropy."""
  return f'{100 * value:.2f}%' if metric == 'error' else f'{value:.4g}'


def ranged(ends: Sequence[float]) -> str:
  """Returns an interval in words; a dash where it has no width."""
  low, high = map(number, ends)
  return '-' if low == high else f'{low} to {high}'
