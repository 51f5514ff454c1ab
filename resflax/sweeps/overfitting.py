"""Deeper or wider: what pairs of equal cost say.

A wider net that lowers the cross-entropy on its own training images, without
augmentation and with the weights that are evaluated, but not on held-out ones,
overfits: grow depth, unless its held-out error is lower all the same. Where it
lowers the held-out cross-entropy, grow width. Bello et al. 2021, section 4.2,
has the finding; the test is ours. The loss of training, on augmented images, is
no such signal.
"""

import itertools
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from etils import epath

from resflax.atomic import whole_file
from resflax.errors import UsageError
from resflax.report.read import read_object
from resflax.report.student import paired
from resflax.scaling import are_equal
from resflax.sweeps.points import Point

_FILE = 'train_loss.json'


class Difference(NamedTuple):
  """Wide minus deep: the mean over paired seeds, and half its 95 % interval."""

  mean: float
  half_width: float

  @property
  def is_below(self) -> bool:
    return self.mean + self.half_width < 0

  @property
  def is_above(self) -> bool:
    return self.mean - self.half_width > 0


def pairs(points: Sequence[Point]) -> list[tuple[Point, Point]]:
  """Returns (deep, wide) of equal MACs, resolution, data, length and recipe.

  MACs are equal within a tenth. Recipes may differ where each shape has one of
  its own, as where its rate was tuned. Points without a cross-entropy, as in a
  table of errors, have no pair.
  """
  recipes: dict[tuple, set[str]] = {}
  for point in points:
    recipes.setdefault(_shape(point), set()).add(point.recipe)
  found = []
  told = [point for point in points if point.loss]
  for a, b in itertools.permutations(told, 2):
    same = (a.group, a.resolution) == (b.group, b.resolution)
    near = are_equal(a.macs, b.macs)
    deeper = sum(a.depths) > sum(b.depths) and a.width < b.width
    own = all(len(recipes[_shape(point)]) == 1 for point in (a, b))
    if same and near and deeper and (own or a.recipe == b.recipe):
      found.append((a, b))
  return found


def _shape(point: Point) -> tuple:
  return point.group, point.depths, point.width, point.resolution


def verdicts(points: Sequence[Point]) -> list[dict]:
  """Returns what each pair of a sweep says, over the seeds that both have."""
  rows = []
  for deep, wide in pairs(points):
    error = _difference(deep, wide, deep.error, wide.error)
    held_out = _difference(deep, wide, deep.loss, wide.loss)
    train = None
    if deep.train_loss and wide.train_loss:
      train = _difference(deep, wide, deep.train_loss, wide.train_loss)
    rows.append(
      {
        'deep': deep.label,
        'wide': wide.label,
        'epochs': deep.epochs,
        'macs': [deep.macs, wide.macs],
        'error': list(error),
        'held_out': list(held_out),
        'train': list(train) if train else None,
        'grow': verdict(held_out, train, error),
      }
    )
  return rows


def verdict(
  held_out: Difference, train: Difference | None, error: Difference
) -> str:
  """Returns `depth`, `width` or `undecided`.

  Args:
    held_out: difference of the held-out cross-entropy.
    train: that on un-augmented training images, None where not measured.
    error: difference of the held-out error.
  """
  if held_out.is_below:
    return 'width'
  overfits = train is not None and train.is_below and not error.is_below
  return 'depth' if held_out.is_above or overfits else 'undecided'


def _difference(deep: Point, wide: Point, of_deep, of_wide) -> Difference:
  of_deep = dict(zip(deep.seeds, of_deep, strict=True))
  of_wide = dict(zip(wide.seeds, of_wide, strict=True))
  mean, half_width = paired(of_wide, of_deep)
  return Difference(mean, np.inf if np.isnan(half_width) else half_width)


def measure(folder: str) -> float:
  """Returns a run's cross-entropy on its training images, un-augmented.

  Kept in the run's folder, for it takes a pass over them.

  Raises:
    UsageError: label smoothing is part of the run's loss.
    StorageError: what was kept cannot be read, or it cannot be kept.
  """
  if (before := _kept(folder)) is not None:
    return before
  from resflax.runs import load_run  # JAX takes seconds to import

  run = load_run(folder)
  if run.config['loss']['label_smoothing']:
    raise UsageError(
      f"'{folder}' was trained with label smoothing, which is in its loss: "
      'the signal is defined without (--train_loss).'
    )
  evaluation = run.evaluate(split=run.config['data']['train_split'])
  with whole_file(os.path.join(folder, _FILE)) as unfinished:
    Path(unfinished).write_text(json.dumps({'loss': evaluation.loss}) + '\n')
  return evaluation.loss


def with_train_loss(points: Iterable[Point]) -> list[Point]:
  """Returns points with what `measure` has left in the folders of all runs."""
  found = []
  for point in points:
    losses = tuple(map(_kept, point.folders))
    if losses and None not in losses:
      point = point._replace(train_loss=losses)
    found.append(point)
  return found


def _kept(folder: str) -> float | None:
  """Returns what `measure` has left in a run's folder, where it has."""
  return read_object(epath.Path(folder) / _FILE).get('loss')
