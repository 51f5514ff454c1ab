"""The report of a sweep: one HTML file, of what there is so far."""

import collections
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from resflax.atomic import whole_file
from resflax.fields import flat
from resflax.paths import absolute
from resflax.report.effects import effects
from resflax.report.elements import details, document, section, table
from resflax.report.gradients import draw_gradients
from resflax.report.runs_table import SCRIPT
from resflax.report.summary import duration, fact
from resflax.report.theme import save, svg
from resflax.report.tracks import MOST_NAMES, MOST_TRACKS, draw_tracks
from resflax.sweeps.folder import Member, members
from resflax.sweeps.gradients import gradients
from resflax.sweeps.page_law import law_sections
from resflax.sweeps.page_runs import (
  labels_section,
  rows_of,
  runs_section,
  state,
)
from resflax.sweeps.tracks import panels


def build(folder: str, metric: str, least_decades: int | float) -> str:
  """Writes `report.html` into a sweep's folder and returns its path.

  Args:
    folder: of the sweep, finished or not.
    metric: of its law: error or loss.
    least_decades: of compute, for a law.

  Raises:
    UsageError: not a sweep's folder.
    StorageError: a file in it cannot be read, or the page be written.
  """
  path = Path(absolute(folder))
  found = members(str(path))
  parts = [
    _head(path.name, found),
    _curves(found),
    _gradients(found),
    labels_section(found),
    *law_sections(str(path), metric, least_decades),
    runs_section(found),
    _provenance(found),
  ]
  file = path / 'report.html'
  with whole_file(str(file)) as unfinished:
    Path(unfinished).write_text(document(path.name, parts, SCRIPT))
  return str(file)


def _head(name: str, found: Sequence[Member]) -> str:
  done = [member for member in found if member.is_done]
  labels = dict.fromkeys(member.label for member in found)
  config = found[0].run.config
  states = collections.Counter(state(member) for member in found)
  told = ', '.join(f'{count:,} {state}' for state, count in states.items())
  seconds = sum(m.run.last('time').get('time', 0) for m in found)
  facts = [fact('runs', f'{len(found):,}', escape(told))]
  facts.append(fact('labels', f'{len(labels):,}'))
  if done:
    best = max(effects(rows_of(done)), key=lambda effect: effect.mean)
    of = f'{best.label}, {best.count} seed{"s" * (best.count > 1)}'
    facts.append(fact('best mean test top-1', f'{best.mean:.2f}%', escape(of)))
  facts.append(fact('training time', duration(seconds)))
  about = f'A sweep of {config["model"]["variant"]} on {config["data"]["name"]}'
  return (
    f'<header>\n<h1>{escape(name)}</h1>\n<p>{escape(about)}</p>\n'
    f'<dl class="facts">{"".join(facts)}</dl>\n</header>'
  )


def _curves(found: Sequence[Member]) -> str:
  shown, is_compute = panels(found)
  if not shown:
    return section('Curves', 'No validation yet.', '')
  text = 'Means over the seeds that have come furthest, with their range. '
  text += (
    'Blue: the labels that none beats at less compute.'
    if is_compute
    else 'Blue: the best label. Vermilion: what others are compared with.'
  )
  count, drawn = len({m.label for m in found}), len(shown[0].tracks)
  if drawn > MOST_NAMES:
    text += f' Of {drawn}, the {MOST_NAMES} best are named.'
  if drawn == MOST_TRACKS < count:
    text += f' The others of {count} labels are left out.'
  drawn = svg('Validation of the labels', draw_tracks, shown, is_compute)
  return section('Curves', text, f'<div class="wide">{drawn}</div>')


def _gradients(found: Sequence[Member]) -> str:
  shown = gradients(found)
  if not shown:
    return ''
  text = (
    'Medians over the first and the last tenth of the steps, of several seeds '
    'their geometric mean. Only labels with log_gradient_norms have them.'
  )
  drawn = svg('Gradients from stem to head', draw_gradients, shown)
  rows = [
    (g.label, part, f'{first:.3g}', f'{last:.3g}')
    for g in shown
    for part, first, last in zip(g.parts, g.first, g.last, strict=True)
  ]
  columns = ('label', 'part', 'first tenth', 'last tenth')
  numbers = details('The lengths', table(columns, rows))
  return section('Gradients', text, f'<div class="wide">{drawn}</div>{numbers}')


def save_figures(folder: str) -> list[str]:
  """Writes what a page shows of the training as files of their own.

  Args:
    folder: of the sweep; gets `curves.svg`, and `gradients.svg` where they were
      logged.

  Returns:
    The paths.

  Raises:
    UsageError: not a sweep's folder.
    StorageError: a file in it cannot be read, or a figure be written.
  """
  path = Path(absolute(folder))
  found = members(str(path))
  figures = {}
  if (shown := panels(found))[0]:
    figures['curves.svg'] = (draw_tracks, *shown)
  if lengths := gradients(found):
    figures['gradients.svg'] = (draw_gradients, lengths)
  return [
    save(str(path / name), *drawn, flag='--figures')
    for name, drawn in figures.items()
  ]


def _provenance(found: Sequence[Member]) -> str:
  """Returns what ran, and what all the runs have in common."""
  ran: dict[str, dict[str, None]] = {}
  for member in found:
    for name, value in flat(member.run.environment):
      if name != 'command':
        ran.setdefault(name, {})[str(value)] = None
  rows = [(name, ', '.join(values)) for name, values in ran.items()]
  configs = [dict(flat(member.run.config)) for member in found]
  same, differ = [], []
  for path, value in configs[0].items():
    if all(config.get(path) == value for config in configs):
      same.append((path, json.dumps(value)))
    else:
      differ.append(path)
  alike = details('Fields that all runs share', table(('field', 'value'), same))
  text = f'What differs: {escape(", ".join(differ) or "nothing")}.'
  return section('Provenance', text, table(('', ''), rows) + alike)
