"""What came of labelling: numbers for people and for the page."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from resflax.pseudo.predictions import Predictions

BINS = 20  # of the confidences
_SHOWN = 20  # images that cannot be used


def summarise(
  said: Predictions,
  copies: Int[np.ndarray, ' images'],
  class_names: Sequence[str],
  *,
  min_confidence: int | float,
  compare: bool,
) -> dict:
  """Returns what `summary.json` holds.

  Args:
    said: of all images.
    copies: how often each was kept.
    class_names: the teacher's.
    min_confidence: that was asked for.
    compare: whether somebody asked how often labels agree.
  """
  usable, kept = said.labels >= 0, copies > 0
  passed = usable & (said.confidences >= min_confidence)
  columns = {
    'passed': _per_class(said.labels[passed], class_names),
    'kept': _per_class(said.labels[kept], class_names),
    'written': _per_class(np.repeat(said.labels, copies), class_names),
  }
  rows = zip(class_names, *columns.values(), strict=True)
  edges = np.linspace(0, 1, BINS + 1)
  return {
    'images': len(copies),
    'bad': int((~usable).sum()),
    'passed': int(passed.sum()),
    'kept': int(kept.sum()),
    'written': int(copies.sum()),
    'most_copies': int(copies.max(initial=0)),
    'classes': [
      {'name': name, **dict(zip(columns, counts, strict=True))}
      for name, *counts in rows
    ],
    'confidence': {
      'edges': edges.round(6).tolist(),
      'all': _histogram(said.confidences[usable], edges),
      'kept': _histogram(said.confidences[kept], edges),
      'least': min_confidence,
    },
    'agree': {
      name: _share(said.agrees[chosen])
      for name, chosen in (('all', usable), ('kept', kept))
      if compare
    },
    'bad_images': said.bad[:_SHOWN].tolist(),
  }


def _share(agrees: np.ndarray) -> float | None:
  known = agrees[agrees >= 0]
  return float(known.mean()) if len(known) else None


def _per_class(labels: np.ndarray, class_names: Sequence[str]) -> list[int]:
  return np.bincount(labels, minlength=len(class_names)).tolist()


def _histogram(values: np.ndarray, edges: np.ndarray) -> list[int]:
  # A sum of rounded parts may be a little above 1.
  return np.histogram(values.clip(0, 1), edges)[0].tolist()
