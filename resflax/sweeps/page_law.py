"""The half of a sweep's page that its law is on."""

from collections.abc import Sequence
from html import escape

from resflax.errors import UsageError
from resflax.report.elements import details, section, table
from resflax.report.laws import draw_frontiers, draw_laws
from resflax.report.theme import svg
from resflax.sweeps.analysis import analyse_runs
from resflax.sweeps.budget import Budget
from resflax.sweeps.law import LEAST_DECADES, REFITS
from resflax.sweeps.next_run import next_run
from resflax.sweeps.points import Point
from resflax.sweeps.recipe import recipe_of
from resflax.sweeps.results import read_points
from resflax.sweeps.telling import (
  law_columns,
  law_lines,
  law_rows,
  named,
  pair_line,
  told,
)

_NEXT = 'The next run'
_MOST_PAIRS = 100


def law_sections(
  folder: str, metric: str, least_decades: int | float
) -> list[str]:
  """Returns the law, its frontier and the next run, or why there is none."""
  options = {'least_decades': least_decades, 'refits': REFITS}
  try:
    points = read_points(folder)
    found = analyse_runs(points, metric, **options)
  except UsageError as error:
    return [section('Scaling law', f'None: {escape(str(error))}', '')]
  return [_law(found), _frontier(found), _next(points, found, options)]


def _law(found: dict) -> str:
  laws = named({k: v for k, v in found['laws'].items() if v['points']})
  several = len(found['points']) > 1
  drawn = svg('Error over compute', draw_laws, [('sweep', found)])
  parts = [f'<div class="drawn">{drawn}</div>'] if several else []
  rows = list(law_rows(laws))
  if rows:
    laws_table = table(law_columns(found['level']), rows)
    parts.append(f'<div class="drawn">{laws_table}</div>')
  parts.append(_list([*law_lines(laws, found['level'], found['metric'])]))
  if found['depth_or_width']:
    pairs = [pair_line(row) for row in found['depth_or_width'][:_MOST_PAIRS]]
    title = f'Depth against width: {len(found["depth_or_width"])} pairs'
    parts.append(details(title, _list(pairs)))
  text = 'Fitted to sets of design points: floor + scale · compute^-exponent.'
  return section('Scaling law', text, '\n'.join(parts))


def _frontier(found: dict) -> str:
  if len(found['points']) < 2:
    return ''
  drawn = svg('Accuracy over cost', draw_frontiers, [('sweep', found)])
  text = 'Joined: the designs that none beats at less cost.'
  return section('Frontier', text, f'<div class="drawn">{drawn}</div>')


def _next(points: Sequence[Point], found: dict, options: dict) -> str:
  try:
    plan = next_run(points, found, recipe_of, Budget(), **options)
  except UsageError as error:
    return section(_NEXT, f'None: {escape(str(error))}', '')
  rows = [
    (name, str(entry['value']), entry['reason'])
    for name, entry in plan['fields'].items()
  ]
  text = (
    'As scripts.plan --from_sweep has it without a budget'
    f'{_flags(found, options)}; with --write=FILE.py it becomes a config.'
  )
  fields = table(('field', 'value', 'why'), rows)
  content = f'<div class="fields">{fields}</div>{_list(told(plan))}'
  return section(_NEXT, text, content)


def _flags(found: dict, options: dict) -> str:
  """Returns the flags of the page that a plan has to be given as well."""
  given = {'metric': found['metric'], 'decades': options['least_decades']}
  usual = {'metric': 'error', 'decades': LEAST_DECADES}
  told = [f'--{k}={v}' for k, v in given.items() if v != usual[k]]
  return f' and with {" ".join(told)}' if told else ''


def _list(lines: Sequence[str]) -> str:
  if not lines:
    return ''
  items = ''.join(f'<li>{escape(line)}</li>' for line in lines)
  return f'<ul>{items}</ul>'
