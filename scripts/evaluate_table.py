"""What evaluations found, in lines and as a table."""

import json
from collections.abc import Sequence

from resflax.evaluation.corruptions import (
  corruption_errors,
  mean_corruption_error,
)

_NO = '-'  # what is not said of several labels


def _line(outcome: dict) -> str:
  """Returns an evaluation as a sentence."""
  whose = outcome.get('weights') or f'{outcome["step"]:,} steps'
  return (
    f'{outcome["dataset"]} {outcome["split"]} at {outcome["resolution"]} px: '
    f'top1 {outcome["top1"]:.2%}  top5 {_share(outcome["top5"])}  '
    f'loss {_number(outcome["loss"])}  ECE {outcome["ece"]:.2%}  '
    f'on {outcome["count"]:,} images{_among(outcome)} after {whose}'
    f'{_recalibrated(outcome)}'
  )


def _recalibrated(outcome: dict) -> str:
  count = outcome['recalibrated_batches']
  return f', recalibrated on {count:,} batches' if count else ''


class Printer:
  """Prints evaluations as they come: a line, an object or a row each.

  Args:
    asked: data sets and splits; several make a table.
    as_json: print a JSON object a line.

  Attributes:
    outcomes: what was shown.
  """

  def __init__(self, asked: Sequence[tuple], *, as_json: bool):
    self.outcomes = []
    self._json = as_json
    self._several = len(asked) > 1
    self._widths = [
      max(len('data set'), *(len(dataset.info.name) for dataset, _ in asked)),
      max(len('split'), *(len(split) for _, split in asked)),
    ]

  def show(self, outcome: dict) -> None:
    if self._json:
      said = json.dumps(outcome)
    elif self._several:
      if not self.outcomes:
        print(self._row(_COLUMNS))
      said = self._row(_cells(outcome))
    else:
      said = _line(outcome)
    print(said, flush=True)
    self.outcomes.append(outcome)

  def end(self) -> None:
    """Prints what several evaluations say together."""
    for size in dict.fromkeys(o['resolution'] for o in self.outcomes):
      of_size = [o for o in self.outcomes if o['resolution'] == size]
      found = self._several and corruptions(of_size)
      if found and self._json:
        print(json.dumps({'resolution': size, 'corrupted': found}))
      elif found:
        print(*_corruption_lines(found, size), sep='\n')

  def _row(self, cells: Sequence[str]) -> str:
    name, split = self._widths
    return f'{cells[0]:{name}}  {cells[1]:{split}}' + ''.join(
      f'  {cell:>8}' for cell in cells[2:]
    )


_COLUMNS = (
  'data set',
  'split',
  'px',
  'images',
  'classes',
  'top1',
  'top5',
  'loss',
  'ECE',
)


def _cells(outcome: dict) -> tuple[str, ...]:
  return (
    outcome['dataset'],
    outcome['split'],
    str(outcome['resolution']),
    f'{outcome["count"]:,}',
    f'{outcome["classes"]:,}',
    f'{outcome["top1"]:.2%}',
    _share(outcome['top5']),
    _number(outcome['loss']),
    f'{outcome["ece"]:.2%}',
  )


def corruptions(outcomes: Sequence[dict]) -> dict | None:
  """Returns the errors on corrupted sets, each and their mean.

  Returns:
    `errors` by corruption, over severities, their mean `error`, and `mce` where
    all 75 sets of ImageNet-C are there; None where there is none.
  """
  errors = corruption_errors((o['dataset'], o['top1']) for o in outcomes)
  if not errors:
    return None
  means = {name: sum(found) / len(found) for name, found in errors.items()}
  imagenet = [o for o in outcomes if o['dataset'].startswith('imagenet2012')]
  mce = mean_corruption_error(errors) if imagenet else None
  return {
    'errors': means,
    'error': sum(means.values()) / len(means),
    'mce': mce,
  }


def _corruption_lines(found: dict, size: int) -> list[str]:
  each = (f'{name} {error:.1%}' for name, error in found['errors'].items())
  lines = [
    f'corrupted at {size} px: mean error {found["error"]:.2%}: '
    + ', '.join(each)
  ]
  if found['mce'] is not None:
    lines.append(f'mCE {100 * found["mce"]:.2f} (AlexNet is 100)')
  return lines


def _among(outcome: dict) -> str:
  """Says where not all of the net's classes competed."""
  classes, total = outcome['classes'], outcome['of_classes']
  return '' if classes == total else f' of {classes:,} of {total:,} classes'


def _share(value: float | None) -> str:
  return _NO if value is None else f'{value:.2%}'


def _number(value: float | None) -> str:
  return _NO if value is None else f'{value:.4f}'
