"""The runs and the labels on a sweep's page."""

from collections.abc import Sequence

from resflax.efficientnets import blocks
from resflax.report.effects import Effect, draw_effects, effects
from resflax.report.elements import section
from resflax.report.runs_table import MOST_ROWS, runs_table
from resflax.report.student import half_width
from resflax.report.theme import svg
from resflax.sweeps.folder import Member
from resflax.sweeps.results import counted, stages_of
from resflax.sweeps.standing import state_of
from resflax.sweeps.tracks import flops_at

_COLUMNS = {
  'run': '',
  'seed': 'd',
  'state': '',
  'blocks': '',
  'width': 'g',
  'px': 'd',
  'epochs': '.3g',
  'MACs': 'si',
  'params': 'si',
  'FLOPs': '.1e',
  'test, %': '.2f',
  'val, %': '.2f',
  'test loss': '.4f',
  'minutes': '.1f',
}
_LABELS = {
  'label': '',
  'seeds': 'd',
  'top-1, %': '.2f',
  '± 95 %': '.2f',
  'against': '',
  'points': '+.2f',
  '± points': '.2f',
  'published': '+.2f',
}
_MOST_EFFECTS = 60  # in the figure; all are in the table


def state(member: Member) -> str:
  """Returns how a run stands, as its folder says."""
  return state_of(member.folder, member.run.status)


def rows_of(done: Sequence[Member]) -> list[dict]:
  """Returns finished runs as `runs.jsonl` has them."""
  return [
    {
      'label': member.label,
      'against': member.against,
      'published': member.published,
      'fields': {'seed': member.run.config['seed']},
      'test/top1': member.run.last('test/top1')['test/top1'],
    }
    for member in done
  ]


def labels_section(found: Sequence[Member]) -> str:
  """Returns what the labels reached, and how they differ."""
  done = [member for member in found if member.is_done]
  if not done:
    return section('Labels', 'No run has ended yet.', '')
  scores: dict[str, list[float]] = {}
  for row in rows_of(done):
    scores.setdefault(row['label'], []).append(100 * row['test/top1'])
  told = effects(rows_of(done))
  rows = [_label(effect, scores[effect.label]) for effect in told]
  text = "Test top-1, with Student's 95 % interval of the mean."
  drawn = ''
  compared = [effect for effect in told if effect.is_compared]
  if compared:
    text += ' Differences are paired by the seed; blue leaves out zero.'
    few = compared[:_MOST_EFFECTS]
    if len(few) < len(compared):
      text += f' The figure has the first {len(few)} of {len(compared)}.'
    figure = svg('Differences between labels', draw_effects, few)
    drawn = f'<div class="drawn">{figure}</div>'
  columns = dict(_LABELS)
  if not any(effect.is_published for effect in told):
    del columns['published']
  return section('Labels', text, drawn + runs_table(columns, rows))


def _label(effect: Effect, scores: Sequence[float]) -> dict:
  row = {
    'label': effect.label,
    'seeds': effect.count,
    'top-1, %': effect.mean,
    '± 95 %': half_width(scores),
    'against': effect.against or None,
    'points': effect.difference,
    '± points': effect.half_width,
    'published': effect.published,
  }
  return {k: None if v != v else v for k, v in row.items()}  # NaN


def runs_section(found: Sequence[Member]) -> str:
  """Returns the table of all runs."""
  rows = [_run(member) for member in found]
  text = 'Click the head of a column to sort by it.'
  if len(rows) > MOST_ROWS:
    text += f' The first {MOST_ROWS:,} of {len(rows):,}.'
  return section('Runs', text, runs_table(_COLUMNS, rows))


def _run(member: Member) -> dict:
  run, config = member.run, member.run.config
  size = stages_of(run)[-1].resolution
  cost = counted(run, size)
  step = run.rows[-1]['step'] if run.rows else 0
  top1 = {s: run.last(f'{s}/top1').get(f'{s}/top1') for s in ('test', 'eval')}
  stands, total = state(member), run.status.get('total_steps')
  if stands != 'done' and total:
    stands += f' at {step / total:.0%}'
  return {
    'run': member.label,
    'href': _link(member),
    'seed': config['seed'],
    'state': stands,
    'blocks': '-'.join(map(str, blocks(config['model']))),
    'width': config['model']['width'],
    'px': size,
    'epochs': run.last('epoch').get('epoch'),
    'MACs': cost.macs,
    'params': cost.params,
    'FLOPs': float(flops_at(run, [step])[0]) or None,
    **{
      title: None if top1[split] is None else 100 * top1[split]
      for title, split in (('test, %', 'test'), ('val, %', 'eval'))
    },
    'test loss': run.last('test/loss').get('test/loss'),
    'minutes': run.last('time')['time'] / 60 if run.last('time') else None,
  }


def _link(member: Member) -> str | None:
  page = member.folder / 'report.html'
  return f'{member.folder.name}/report.html' if page.exists() else None
