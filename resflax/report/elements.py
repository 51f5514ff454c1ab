"""The parts that pages are made of: documents, sections, figures, tables."""

from collections.abc import Iterable, Sequence
from html import escape

from resflax.report.stylesheet import CSS


def document(title: str, parts: Iterable[str], script: str = '') -> str:
  """Returns a whole page that needs nothing from elsewhere.

  Args:
    title: as text.
    parts: HTML; empty ones are left out.
    script: JavaScript for the end of the page.
  """
  end = f'<script>{script}</script>\n' if script else ''
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    f'<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n'
    '<body>\n' + '\n'.join(filter(None, parts)) + f'\n{end}</body>\n</html>\n'
  )


def section(title: str, text: str, content: str) -> str:
  """Returns a heading, a paragraph of HTML unless it is empty, and content."""
  paragraph = f'<p>{text}</p>\n' if text else ''
  return f'<section>\n<h2>{title}</h2>\n{paragraph}{content}\n</section>'


def figure(title: str, text: str, drawn: str) -> str:
  """Returns a drawing under its title and a line of HTML."""
  return f'<figure><h3>{title}</h3><p>{text}</p>{drawn}</figure>\n'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  """Returns a table of plain text, the first cell of a row being its name."""
  lines = [
    f'<tr><th scope="row">{escape(name)}</th>'
    + ''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)
    + '</tr>'
    for name, *cells in rows
  ]
  columns = ''.join(f'<th scope="col">{title}</th>' for title in head)
  return (
    f'<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n'
    + '\n'.join(lines)
    + '\n</tbody>\n</table>'
  )


def details(title: str, content: str) -> str:
  """Returns content that is folded up under its title."""
  return f'<details><summary>{title}</summary>{content}</details>'
