"""Simple classifiers of frozen features, to tell what a net has learnt."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from resflax.errors import UsageError

# Source: Kornblith et al. 2019, appendix, logistic regression.
STRENGTHS = tuple(np.logspace(-6, 5, 45).tolist())
ITERATIONS = 1000  # as CLIP's (Radford et al. 2021, appendix)
TEMPERATURE = 0.07  # Wu et al. 2018, section 3.4
_FOLD = 5  # of so many images of a class, one is to choose by


class Features(NamedTuple):
  """Features of a split, a row an image.

  Attributes:
    values: float32, not normalised.
    labels: of the images.
  """

  values: Float32[np.ndarray, 'images features']
  labels: Int32[np.ndarray, ' images']

  def joined(self, other: 'Features | None') -> 'Features':
    """Returns these and others, if any."""
    if other is None:
      return self
    pairs = zip(self, other, strict=True)
    return Features(*(np.concatenate(pair) for pair in pairs))


class Linear(NamedTuple):
  """What came of logistic regression.

  Attributes:
    top1: part of the test images whose class it tells.
    l2: its strength: half of it times the squared weights is added to the sum
      of the losses.
    val_top1: of the chosen strength, on the images it was chosen by; None where
      there was one strength alone, as for `val_count`.
    val_count: how many these are.
    converged: whether it ended before `ITERATIONS`.
  """

  top1: float
  l2: float
  val_top1: float | None
  val_count: int | None
  converged: bool


def linear(
  train: Features,
  test: Features,
  *,
  val: Features | None = None,
  strengths: Sequence[float] = STRENGTHS,
) -> Linear:
  """Returns how well multinomial logistic regression tells the classes apart.

  L-BFGS. The L2 strength is chosen by accuracy on `val`, of equals by the loss
  there, and the fit is repeated on both. Each fit begins with the one before,
  of more strength.

  Source: Kornblith et al. 2019, "Do Better ImageNet Models Transfer Better?",
    appendix; CLIP (Radford et al. 2021) has 96 values from 1e-6 to 1e6.

  Args:
    train: to learn from.
    test: to count on.
    val: to choose by; None = each fifth image of each class of `train`.
    strengths: to choose from; one is taken without a choice.

  Raises:
    UsageError: nothing to choose by.
  """
  everything = train.joined(val)
  if len(strengths) == 1:
    return _tested(everything, test, strengths[0], None, None)
  if val is None:
    train, val = held_out(train)
  descending = sorted(strengths, reverse=True)
  model = _model()
  scores = []
  for strength in descending:
    _fit(model, train, strength)
    scores.append(_score(model, val))
  best = scores.index(max(scores))
  count = len(val.labels)
  return _tested(everything, test, descending[best], scores[best][0], count)


def nearest(
  train: Features, test: Features, neighbors: Sequence[int]
) -> dict[int, float]:
  """Returns the top-1 accuracy of so many nearest neighbours each.

  By cosine similarity s; each votes for its class with exp(s / 0.07).

  Source: Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric
    Instance Discrimination", section 3.4; DINO (Caron et al. 2021) takes 20.
  """
  # scikit-learn finds them in parallel, in parts that bound the memory, and in
  # float64. Of unit vectors the squared distance is 2 - 2s.
  finder = NearestNeighbors(
    n_neighbors=max(neighbors), algorithm='brute', metric='sqeuclidean'
  ).fit(normalize(train.values))
  distances, indices = finder.kneighbors(normalize(test.values))
  weights = np.exp(-distances / 2 / TEMPERATURE)
  found = train.labels[indices]
  classes = int(train.labels.max()) + 1
  rows = np.arange(len(found))[:, None]
  results = {}
  for k in neighbors:
    votes = np.zeros((len(found), classes))
    np.add.at(votes, (rows, found[:, :k]), weights[:, :k])
    results[k] = _top1(votes.argmax(1), test)
  return results


def held_out(train: Features) -> tuple[Features, Features]:
  """Returns the images to fit and, each fifth of a class, those to choose by.

  Raises:
    UsageError: no class has five.
  """
  held = np.zeros(len(train.labels), bool)
  for label in np.unique(train.labels):
    held[np.flatnonzero(train.labels == label)[_FOLD - 1 :: _FOLD]] = True
  if not held.any():
    raise UsageError(
      f'No class has {_FOLD} images to train on, of which one would be held '
      'out to choose the L2 strength by: give --val_split, or --l2.'
    )
  return tuple(
    Features(train.values[part], train.labels[part]) for part in (~held, held)
  )


def _tested(
  train: Features,
  test: Features,
  strength: float,
  val_top1: float | None,
  val_count: int | None,
) -> Linear:
  model = _model()
  _fit(model, train, strength)
  return Linear(
    top1=_top1(model.predict(test.values), test),
    l2=strength,
    val_top1=val_top1,
    val_count=val_count,
    converged=bool(model.n_iter_.max() < ITERATIONS),
  )


def _model() -> LogisticRegression:
  return LogisticRegression(max_iter=ITERATIONS, warm_start=True)


def _fit(model: LogisticRegression, train: Features, strength: float) -> None:
  model.set_params(C=1 / strength)
  with warnings.catch_warnings():
    # Said by `converged`; a weak strength may have no end on separable classes.
    warnings.simplefilter('ignore', ConvergenceWarning)
    model.fit(train.values, train.labels)


def _score(model: LogisticRegression, val: Features) -> tuple[float, float]:
  """Returns the accuracy, and the loss turned round: more of both is better."""
  likely = model.predict_proba(val.values)
  columns = np.searchsorted(model.classes_, val.labels)
  columns = np.minimum(columns, len(model.classes_) - 1)
  known = model.classes_[columns] == val.labels  # others are wrong anyway
  found = likely[np.arange(len(likely)), columns][known]
  least = np.finfo(found.dtype).tiny  # where a probability is rounded to 0
  predicted = model.classes_[likely.argmax(1)]
  loss = -np.log(np.maximum(found, least)).mean() if known.any() else 0.0
  return _top1(predicted, val), -float(loss)


def _top1(predicted: np.ndarray, truth: Features) -> float:
  return float((predicted == truth.labels).mean())
