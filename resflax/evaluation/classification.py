"""Exact evaluation: every example once, the padding left out."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np


class Evaluation(NamedTuple):
  """The outcome of one pass over a split.

  Attributes:
    loss: mean over the examples; None where they have several labels.
    top1: part of the examples whose label has the largest logit.
    top5: part whose label is among the five largest; None as for the loss.
    count: examples seen.
    examples: arrays with one row an example, in the split's order: loss,
      top1, top5, prediction, probability, label_probability, label.
  """

  loss: float | None
  top1: float
  top5: float | None
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
  return Evaluation(
    loss=_mean(examples['loss']),
    top1=_mean(examples['top1']),
    top5=_mean(examples['top5']),
    count=len(examples['label']),
    examples=examples,
  )


def with_label_sets(
  evaluation: Evaluation, sets: Iterable[Collection[int]]
) -> Evaluation:
  """Returns an evaluation against labels of which each is right.

  Examples without one are left out. Of five classes it is not said how many
  would have to be right, nor what the loss is.

  Source: Beyer et al. 2020, "Are we done with ImageNet?", section 3.

  Args:
    evaluation: of the examples, by any label.
    sets: the labels of each example.
  """
  predictions = evaluation.examples['prediction'].tolist()
  labelled, right = np.array(
    [
      (bool(labels), prediction in labels)
      for prediction, labels in zip(predictions, sets, strict=True)
    ]
  ).T
  examples = {
    name: evaluation.examples[name][labelled]
    for name in ('prediction', 'probability')
  }
  examples['top1'] = right[labelled]
  return Evaluation(
    None, _mean(examples['top1']), None, int(labelled.sum()), examples
  )


def _mean(values: np.ndarray) -> float:
  # float64, so that it does not depend on the order of the sums.
  return float(values.astype(np.float64).mean())
