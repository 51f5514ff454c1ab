"""Exact evaluation: every example once, the padding left out."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np


class Evaluation(NamedTuple):
  """The outcome of one pass over a split.

  Attributes:
    loss: mean over the examples.
    top1: part of the examples whose label has the largest logit.
    top5: part whose label is among the five largest.
    count: examples seen.
    examples: arrays with one row an example, in the split's order: loss,
      top1, top5, prediction, probability, label_probability, label.
  """

  loss: float
  top1: float
  top5: float
  count: int
  examples: dict[str, np.ndarray]

  def row(self, prefix: str) -> dict[str, int | float]:
    """Returns the numbers as a row of metrics, e.g. `eval/top1`."""
    names = ('loss', 'top1', 'top5', 'count')
    return {f'{prefix}/{name}': getattr(self, name) for name in names}


def evaluate(
  eval_step: Callable,
  variables: Mapping,
  batches: Iterable[Mapping],
  gather: Callable = np.asarray,
) -> Evaluation:
  """Runs a model over padded batches.

  Args:
    eval_step: `(variables, batch) -> arrays, one number an example`.
    variables: of the model.
    batches: as `data.pipeline.eval_batches` gives them, with `mask`.
    gather: from this host's rows of a batch to those of all hosts, which
      `eval_step` returns already.
  """
  parts: dict[str, list] = {}
  for batch in batches:
    mask, labels = gather(batch['mask']), gather(batch['label'])
    outputs = eval_step(
      variables, {'image': batch['image'], 'label': batch['label']}
    )
    for name, values in {**outputs, 'label': labels}.items():
      parts.setdefault(name, []).append(np.asarray(values)[mask])
  examples = {name: np.concatenate(rows) for name, rows in parts.items()}
  # float64, so that the mean does not depend on the order of the sums.
  mean = {
    name: float(examples[name].astype(np.float64).mean())
    for name in ('loss', 'top1', 'top5')
  }
  return Evaluation(**mean, count=len(examples['label']), examples=examples)
