"""The head of the page: what was trained, how well it does, what it took."""

from html import escape

import numpy as np

from resflax.report.class_scores import wilson
from resflax.report.read import Run

TRIVIAL_TOP5 = 5  # classes, up to which every top-5 is 100 %


def summary(run: Run) -> str:
  """Returns the `<header>` of the page."""
  variant = run.config.get('model', {}).get('variant', 'a model')
  data = run.config.get('data', {}).get('name', 'unnamed data')
  return (
    f'<header>\n<h1>{escape(run.name)}</h1>\n'
    f'<p>{escape(f"{variant} on {data}")} · {_state(run)}</p>\n'
    f'<dl class="facts">{_scores(run)}{_costs(run)}</dl>\n</header>'
  )


def final_scores(run: Run) -> tuple[str, dict]:
  """Returns the split that a run is judged by, and its scores.

  The test split once the run has come to it; before, what `evaluation.npz` was
  made of; before that, the last validation. The scores are top1, top5, loss
  and count, as far as there are any.
  """
  evaluation = run.evaluation
  if not run.last('test/top1') and evaluation:
    return evaluation.split, {
      'top1': float(evaluation.correct.mean()),
      'top5': float(evaluation.top5.mean()),
      'loss': evaluation.loss,
      'count': len(evaluation.label),
    }
  split = 'test' if run.last('test/top1') else 'eval'
  row = run.last(f'{split}/top1')
  keys = ('top1', 'top5', 'loss', 'count')
  scores = {
    key: row[f'{split}/{key}'] for key in keys if f'{split}/{key}' in row
  }
  return {'eval': 'validation'}.get(split, split), scores


def duration(seconds: int | float) -> str:
  """Returns a time span in its two largest units."""
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  if hours:
    return f'{hours:,} h {minutes} min'
  return f'{minutes} min {seconds} s' if minutes else f'{seconds} s'


def _state(run: Run) -> str:
  status = run.status
  state = escape(str(status.get('state', 'state unknown')))
  failed = state == 'failed'
  if failed:
    state += f' with exit code {status.get("exit_code", "unknown")}'
  if state != 'done' and status.get('total_steps'):
    step = run.rows[-1]['step'] if run.rows else 0
    state += f' at step {step:,} of {status["total_steps"]:,}'
  return f'<strong class="wrong">{state}</strong>' if failed else state


def _scores(run: Run) -> str:
  split, scores = final_scores(run)
  evaluation = run.evaluation
  few = evaluation and len(evaluation.class_names) <= TRIVIAL_TOP5
  count = scores.get('count')
  facts = []
  if 'top1' in scores:
    top1 = scores['top1']
    name = f'{escape(split)} top-1'
    facts.append(fact(name, f'{top1:.2%}', _interval(top1, count)))
  if 'top5' in scores and not few:
    facts.append(fact('top-5', f'{scores["top5"]:.2%}'))
  if 'loss' in scores:
    facts.append(fact('loss', f'{scores["loss"]:.4f}', 'nats'))
  if count is not None:
    side = evaluation and f'{evaluation.resolution} pixels wide'
    facts.append(fact('images', f'{count:,}', side or ''))
  return ''.join(facts)


def _interval(share: int | float, count: int | None) -> str:
  if not count:
    return ''
  trials = np.array([count])
  (low,), (high,) = wilson(np.rint(share * trials).astype(int), trials)
  return f'95% interval {100 * low:.1f} to {100 * high:.1f}'


def _costs(run: Run) -> str:
  facts = []
  if row := run.last('epoch'):
    facts.append(
      fact('epochs', f'{row["epoch"]:.4g}', f'{row["step"]:,} steps')
    )
  if row := run.last('time'):
    facts.append(fact('training time', duration(row['time'])))
  if 'params' in run.status:
    facts.append(fact('parameters', f'{run.status["params"]:,}'))
  return ''.join(facts)


def fact(name: str, value: str, note: str = '') -> str:
  """Returns a number for the head of a page; all three are HTML."""
  small = f'<small>{note}</small>' if note else ''
  return f'<div><dt>{name}</dt><dd>{value}{small}</dd></div>'
