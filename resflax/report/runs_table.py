"""The sortable table of a sweep's runs."""

from collections.abc import Mapping, Sequence
from html import escape

from resflax.report.theme import si

MOST_ROWS = 1000

# Sorts by the value of a cell, not by its text; what is not known comes last.
SCRIPT = """
for (const head of document.querySelectorAll('.runs th[scope=col]')) {
  const button = head.firstElementChild;
  button.onclick = () => {
    const up = head.getAttribute('aria-sort') !== 'ascending';
    const body = head.closest('table').tBodies[0];
    const column = head.cellIndex;
    const value = row => row.cells[column].dataset.v;
    const known = text => text !== '' && !isNaN(text);
    const order = (a, b) => known(a) && known(b) ? a - b : a.localeCompare(b);
    const rows = [...body.rows].sort((one, two) => {
      const a = value(one), b = value(two);
      if (a === '' || b === '') return (a === '') - (b === '');
      return up ? order(a, b) : order(b, a);
    });
    for (const other of head.parentNode.cells)
      other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    body.append(...rows);
  };
}
"""


def runs_table(columns: Mapping[str, str], rows: Sequence[Mapping]) -> str:
  """Returns the table; a column that no row knows is left out.

  Args:
    columns: the title and the format of each, such as `,.1f`, in order; `si`
      is a number with a prefix, and empty is text, aligned to the left.
    rows: values by title, None where not known; `href` is where the first
      cell leads.
  """
  shown = [
    title for title in columns if any(r.get(title) is not None for r in rows)
  ]
  head = ''.join(
    f'<th scope="col"{_class(columns[title])}>'
    f'<button type="button">{escape(title)}</button></th>'
    for title in shown
  )
  lines = [
    '<tr>' + ''.join(_cell(row, t, columns[t], t == shown[0]) for t in shown)
    for row in rows[:MOST_ROWS]
  ]
  return (
    f'<div class="scroll"><table class="runs">\n<thead><tr>{head}</tr></thead>'
    '\n<tbody>\n' + '</tr>\n'.join(lines) + '</tr>\n</tbody>\n</table></div>'
  )


def _text(value: object, form: str) -> str:
  if form == 'si':
    return si(value)
  return format(value, form) if form else str(value)


def _class(form: str) -> str:
  return ' class="number"' if form else ''


def _cell(row: Mapping, title: str, form: str, is_first: bool) -> str:
  value = row.get(title)
  text = '' if value is None else _text(value, form)
  text, key = escape(text), '' if value is None else escape(str(value))
  if is_first and row.get('href'):
    text = f'<a href="{escape(row["href"])}">{text}</a>'
  if is_first:
    return f'<th scope="row" data-v="{key}">{text}</th>'
  return f'<td{_class(form)} data-v="{key}">{text}</td>'
