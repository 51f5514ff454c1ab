"""The table of runs: what is sorted by, and what is left out."""

from resflax.report.runs_table import MOST_ROWS, runs_table
from tests.report.test_report import checked

COLUMNS = {'run': '', 'MACs': 'si', 'loss': '.2f', 'never': 'd'}


def test_cells_have_a_text_and_a_value():
  rows = [
    {'run': '<a>', 'href': 'a/report.html', 'MACs': 4_100_000, 'loss': 0.123},
    {'run': 'b', 'MACs': None, 'loss': 1.0},
  ]
  html = runs_table(COLUMNS, rows)
  checker = checked(html)
  assert checker.addresses == ['a/report.html']
  words = [word for word in checker.words if word.strip()]
  assert words == ['run', 'MACs', 'loss', '<a>', '4.1 M', '0.12', 'b', '1.00']
  assert 'data-v="4100000"' in html and 'data-v=""' in html


def test_there_is_an_end_to_rows():
  rows = [{'run': str(number)} for number in range(MOST_ROWS + 7)]
  assert runs_table(COLUMNS, rows).count('scope="row"') == MOST_ROWS
