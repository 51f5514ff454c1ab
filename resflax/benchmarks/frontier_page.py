"""The rows of `scripts.benchmark frontier` as tables, and their figure.

python -m resflax.benchmarks.frontier_page docs/results
"""

import functools
import math
import pathlib
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from resflax.benchmarks.frontier import V3, WAYS
from resflax.benchmarks.frontier_rows import (
  BASELINE,
  GPU,
  MODELS,
  QUOTED,
  RESNETS,
  TPU,
  Measured,
  Model,
  cost_of,
  points,
  read,
  speed_ups,
)
from resflax.published import PUBLISHED
from resflax.report import laws, theme
from resflax.sweeps.frontier import pareto
from resflax.sweeps.intervals import LEVEL

Known = Mapping[tuple[str, str], Measured]
IMAGES = 128  # whose step was published
# Between these the tables of docs/results/frontier.md stand.
BEGIN, END = '<!-- tables -->', '<!-- end of tables -->'


def main(folder: str) -> None:
  """Writes the tables into `frontier.md` of a folder, and `frontier.svg`."""
  page = pathlib.Path(folder) / 'frontier.md'
  known = rows_of(folder)
  before, rest = page.read_text().split(BEGIN)
  _, after = rest.split(END)
  page.write_text(f'{before}{BEGIN}\n\n{tables(known)}\n\n{END}{after}')
  theme.save(str(page.with_suffix('.svg')), laws.draw_frontiers, *figure(known))


def rows_of(folder: str | pathlib.Path) -> Known:
  """Returns what is kept in a folder of results."""
  rows = read(pathlib.Path(folder) / 'data' / 'frontier.jsonl')
  return {(row.label, row.way): row for row in rows}


def tables(known: Known) -> str:
  """Returns the estimate beside what was published, all costs, all ratios."""
  parts = {
    'The estimate beside the published times': _validation,
    'Milliseconds for an image': _costs,
    "The paper's pairs": _ratios,
    'At equal accuracy': _equal,
  }
  return '\n\n'.join(
    '\n'.join((f'## {title}', '', *part(known)))
    for title, part in parts.items()
  )


def figure(known: Known) -> tuple[list[tuple[str, dict]], dict[str, str]]:
  """Returns what `draw_frontiers` takes: accuracy over each way's cost."""
  words = {way: f'{way}, ms an image' for way in _ways(known) if way != GPU}
  return [
    ('ResNet-RS', _fit(RESNETS, words, known)),
    ('EfficientNet', _fit(BASELINE, words, known)),
  ], words


def _fit(family: Sequence[Model], ways: Mapping, known: Known) -> dict:
  """Returns points and frontiers as those of a fit, see `report.laws`."""
  shown = [
    {
      'mean': 1 - model.top1 / 100,
      'error': (1 - model.top1 / 100,),
      **{way: cost_of(known, way, model) for way in ways},
    }
    for model in family
  ]
  best = {}
  for way in ways:
    there = [i for i, point in enumerate(shown) if point[way] is not None]
    found = pareto(
      np.array([shown[i][way] for i in there]),
      np.array([shown[i]['mean'] for i in there]),
    )
    best[way] = [there[i] for i in found]
  return {'metric': 'error', 'level': LEVEL, 'points': shown, 'pareto': best}


def _ways(known: Known) -> list[str]:
  """The published devices, and what was measured of both families."""
  measured = [way for ways in WAYS.values() for way in ways]
  return [TPU, GPU] + [
    way
    for way in measured
    if all(
      any((model.label, way) in known for model in family)
      for family in (RESNETS, BASELINE)
    )
  ]


def _validation(known: Known) -> Iterator[str]:
  yield '| model | images | estimated ms | published ms | ratio |'
  yield '|---|--:|--:|--:|--:|'
  for model in MODELS:
    if row := known.get((model.label, V3)):
      ours, published = IMAGES * row.ms, IMAGES * model.published[TPU]
      yield (
        f'| {model.label} | {row.images} | {ours:,.0f} | {published:,.0f} '
        f'| {ours / published:.2f} |'
      )
  yield ''
  for name, family in (('ResNet-RS', RESNETS), ('EfficientNet', BASELINE)):
    yield f'- {name}: {_agreement(family, known)}'


def _agreement(family: Sequence[Model], known: Known) -> str:
  found = points(family, functools.partial(cost_of, known, V3))
  if len(found) < 3:
    return f'{len(found)} of {len(family)} models'
  ours = [ms for _, ms in found]
  published = [model.published[TPU] for model, _ in found]
  logs = [math.log(a / b) for a, b in zip(ours, published, strict=True)]
  middle = statistics.median(logs)
  spread = statistics.median(abs(log - middle) for log in logs)
  rank = stats.spearmanr(ours, published).statistic
  return (
    f'{len(found)} of {len(family)} models, median |log ratio| '
    f'{statistics.median(map(abs, logs)):.2f}, common factor '
    f'{math.exp(middle):.2f}, less that factor {spread:.3f}, rank order '
    f"(Spearman's coefficient) {rank:.2f}"
  )


def _costs(known: Known) -> Iterator[str]:
  ways = _ways(known)
  yield f'| model | top-1 | params, M | GMAC | {" | ".join(ways)} |'
  yield '|---' + '|--:' * (3 + len(ways)) + '|'
  for model in MODELS:
    counts = PUBLISHED[model.variant]
    costs = (cost_of(known, way, model) for way in ways)
    cells = (
      f'{model.top1:.1f}',
      f'{counts.params / 1e6:.1f}',
      f'{counts.macs[model.resolution] / 1e9:.2f}',
      *map(_three_digits, costs),
    )
    yield f'| {model.label} | {" | ".join(cells)} |'


def _three_digits(ms: float | None) -> str:
  return '' if ms is None else f'{float(f"{ms:.3g}"):,g}'


def _ratios(known: Known) -> Iterator[str]:
  """The paper's pairs, in every way."""
  by_label = {model.label: model for model in MODELS}
  ways = [way for way in _ways(known) if way not in (TPU, GPU)]
  yield f'| pair | quoted: TPU v3 | quoted: V100 | {" | ".join(ways)} |'
  yield '|---' + '|--:' * (2 + len(ways)) + '|'
  for ours, theirs, tpu, gpu in QUOTED:
    pair = by_label[ours], by_label[theirs]
    cells = []
    for way in ways:
      a, b = (cost_of(known, way, model) for model in pair)
      cells.append('' if None in (a, b) else f'{b / a:.2f}')
    yield f'| {ours}, {theirs} | {tpu} | {gpu} | {" | ".join(cells)} |'


def _equal(known: Known) -> Iterator[str]:
  """Every ResNet-RS beside the other frontier at its accuracy."""
  ways = _ways(known)
  ratios = {w: speed_ups(functools.partial(cost_of, known, w)) for w in ways}
  yield f'| model | top-1 | {" | ".join(ways)} |'
  yield '|---' + '|--:' * (1 + len(ways)) + '|'
  for model in RESNETS:
    found = (ratios[way].get(model.label) for way in ways)
    cells = ['' if ratio is None else f'{ratio:.2f}' for ratio in found]
    yield f'| {model.label} | {model.top1:.1f} | {" | ".join(cells)} |'
  yield (
    '| median | | '
    + ' | '.join(
      f'{statistics.median(found.values()):.2f}' if found else ''
      for found in ratios.values()
    )
    + ' |'
  )


if __name__ == '__main__':
  main(*sys.argv[1:])
