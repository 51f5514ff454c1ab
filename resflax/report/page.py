"""The report as one HTML file: no script, and nothing from elsewhere."""

import json
from html import escape

import numpy as np

from resflax.fields import flat
from resflax.goodput import ACCOUNTS, HIDDEN, total_of
from resflax.report import class_figures
from resflax.report.calibration import BINS, calibration
from resflax.report.class_scores import MOST_CLASSES, class_counts
from resflax.report.curves import curves, logged_panels
from resflax.report.elements import document, figure, section, table
from resflax.report.examples import gallery, worst_count
from resflax.report.read import Evaluation, Run
from resflax.report.reliability import draw_reliability
from resflax.report.series import stage_changes
from resflax.report.summary import summary
from resflax.report.theme import svg


def page(run: Run) -> str:
  """Returns the whole page; parts that a run has not come to are left out."""
  parts = [summary(run), _training(run)]
  if run.evaluation:
    parts += [
      _examples(run.evaluation),
      _classes(run.evaluation),
      _calibration(run.evaluation),
    ]
  parts += [_goodput(run), _config(run), _environment(run)]
  return document(run.name, parts)


def _training(run: Run) -> str:
  if not logged_panels(run):
    return section('Training', 'No metrics yet.', '')
  text = 'Training scores are means over the batches since the row before.'
  steps, accuracy = run.series('eval/top1')
  if len(steps):
    best = accuracy.argmax()
    text += (
      f' Best validation accuracy: {accuracy[best]:.2%} at step '
      f'{steps[best]:,.0f} of {run.rows[-1]["step"]:,}.'
    )
  if len(stage_changes(run)):
    text += ' Vertical lines: the resolution changes.'
  drawn = svg('Metrics over training steps', curves, run)
  return section('Training', text, f'<div class="wide">{drawn}</div>')


def _examples(evaluation: Evaluation) -> str:
  worst, shown = worst_count(evaluation), len(evaluation.sample_index)
  wrong = int((~evaluation.correct).sum())
  split = escape(evaluation.split)
  total = len(evaluation.label)
  parts = []
  if worst:
    which = 'all' if worst == wrong else f'the {worst} worst of'
    parts.append(
      f'<h3>Mistakes: {which} {wrong:,} among {total:,} {split} images</h3>'
      '<p>The predicted class with its probability, then the true class with '
      f'the probability it got. Worst first.</p>{gallery(evaluation, 0, worst)}'
    )
  if shown > worst:
    which = 'the other' if worst else f'the {total:,}'
    parts.append(
      f'<h3>An even sample of {which} {split} images</h3>'
      f'<p>✓ right, ✗ wrong.</p>{gallery(evaluation, worst, shown)}'
    )
  return section('Images', '', '\n'.join(parts)) if parts else ''


def _classes(evaluation: Evaluation) -> str:
  size = len(evaluation.class_names)
  many = size > MOST_CLASSES
  title = f'The {MOST_CLASSES} of {size:,} classes with the lowest accuracy'
  figures = [
    figure(
      title if many else 'Accuracy of each class',
      f'With 95% intervals. {_median(evaluation) if many else ""}',
      svg('Accuracy of classes', class_figures.per_class, evaluation),
    )
  ]
  if not many:
    drawn = svg('Confusion matrix', class_figures.confusion_matrix, evaluation)
    figures.append(figure('Confusion matrix', 'Numbers of images.', drawn))
  elif not evaluation.correct.all():
    drawn = svg('Confused classes', class_figures.confused_pairs, evaluation)
    figures.append(
      figure('The most frequent mistakes', 'True class → predicted.', drawn)
    )
  content = f'<div class="side-by-side">{"".join(figures)}</div>'
  return section('Classes', '', content)


def _median(evaluation: Evaluation) -> str:
  correct, count = class_counts(evaluation)
  present = count > 0
  median = np.median(correct[present] / count[present])
  return f'Median of all classes: {median:.1%}.'


def _calibration(evaluation: Evaluation) -> str:
  found = calibration(evaluation.probability, evaluation.correct)
  text = (
    f'Of {escape(evaluation.split)} images, by the probability of the '
    'predicted class: the part that is right (blue), how far it lies from that '
    f'probability (red), and the share of images (line). Over {BINS} bins the '
    f'mean distance, the expected calibration error, is {found.error:.2%}.'
  )
  drawn = svg('Calibration', draw_reliability, {evaluation.split: found})
  return section('Calibration', text, drawn)


def _config(run: Run) -> str:
  """Returns the table of fields that are set, and what derived ones follow."""
  derived = {path: entry['value'] for path, entry in run.derived.items()}
  values = dict(flat(run.config)) | derived
  reasons = {path: entry['reason'] for path, entry in run.derived.items()}
  rows = [
    (path, _shown(value), reasons.get(path, ''))
    for path, value in sorted(values.items(), key=_by_group)
    if not _unset(value)
  ]
  fields = table(('field', 'value', 'follows from'), rows)
  unset = ', '.join(path for path, value in values.items() if _unset(value))
  note = f'<p class="note">Not set: {escape(unset)}.</p>' if unset else ''
  return section('Config', '', f'{fields}{note}')


def _unset(value: object) -> bool:
  return value is None or value == []


def _by_group(item: tuple[str, object]) -> str:
  """Sorts ungrouped fields first, keeps the order inside a group."""
  group, dot, _ = item[0].partition('.')
  return group if dot else ''


def _goodput(run: Run) -> str:
  if not run.goodput:
    return ''
  total = total_of(run.goodput)
  rows = [
    (name, f'{seconds:,.1f}', f'{seconds / total:.1%}')
    for account, name in ACCOUNTS.items()
    if (seconds := run.goodput.get(account, 0.0))
  ]
  hidden = run.goodput.get(HIDDEN, 0.0)
  text = (
    f'Of {total:,.1f} seconds over all starts; beside them {hidden:,.1f} '
    'seconds of compilation that nothing waited for.'
  )
  return section('Time', text, table(('', 'seconds', 'share'), rows))


def _environment(run: Run) -> str:
  if not run.environment:
    return ''
  rows = [(name, _shown(value)) for name, value in flat(run.environment)]
  return section('Environment', '', table(('', ''), rows))


def _shown(value: object) -> str:
  """Returns a value as a reader would type it."""
  if isinstance(value, list | tuple):
    return ', '.join(map(_shown, value))
  if isinstance(value, float):
    return f'{value:.6g}'
  return value if isinstance(value, str) else json.dumps(value)
