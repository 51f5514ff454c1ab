"""What the features of a net are worth on a data set, of other classes too."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from resflax.data.records import Dataset, DatasetInfo
from resflax.data.splits import default_splits, parse_split
from resflax.errors import UsageError
from resflax.evaluation.classifiers import (
  STRENGTHS,
  Linear,
  linear,
  nearest,
)
from resflax.evaluation.features import extract, num_bytes, width
from resflax.runs import Run

METHODS = ('linear', 'knn')


class Splits(NamedTuple):
  """Which images are used for what.

  Attributes:
    train: to learn from.
    val: to choose the L2 strength by, then to learn from as well; None = a
      fifth of each class of `train`.
    test: to count on.
  """

  train: str
  val: str | None
  test: str

  @property
  def chosen_on(self) -> str:
    """What the strength is chosen on, in words."""
    return self.val or f'a fifth of each class of {self.train}'


class Outcome(NamedTuple):
  """What was measured; None where it was not asked for.

  Attributes:
    linear: of logistic regression.
    neighbors: top-1 accuracy by the number of neighbours.
  """

  linear: Linear | None
  neighbors: dict[int, float] | None


@dataclasses.dataclass(frozen=True)
class Probe:
  """A probe that is allowed, before anything slow.

  Attributes:
    run: the net.
    dataset: of images with labels.
    splits: of it.
    counts: images in each of `splits`.
    methods: of `METHODS`.
    neighbors: numbers of them to try.
    strengths: of L2, to choose from.
  """

  run: Run
  dataset: Dataset
  splits: Splits
  counts: dict[str, int]
  methods: Sequence[str]
  neighbors: Sequence[int]
  strengths: Sequence[float]

  @property
  def features(self) -> int:
    """How many an image has."""
    return width(self.run)

  @property
  def num_bytes(self) -> int:
    """Memory that all features take; linear takes about twice as much."""
    return num_bytes(self.run, sum(self.counts.values()))

  def measure(self) -> Outcome:
    """Extracts all features once and returns what came of them.

    Raises:
      UsageError: images of one class alone to learn from.
      DataError: an example cannot be read.
      NotFiniteError: a feature is not finite.
    """
    found = {
      name: extract(self.run, self.dataset.split(getattr(self.splits, name)))
      for name in self.counts
    }
    train, val, test = (found.get(name) for name in Splits._fields)
    if len(np.unique(train.labels)) < 2:
      raise UsageError(
        f'All images of {self.dataset.info.name} {self.splits.train} are of '
        'one class: give a larger --train_split.'
      )
    return Outcome(
      linear(train, test, val=val, strengths=self.strengths)
      if 'linear' in self.methods
      else None,
      nearest(train.joined(val), test, self.neighbors)
      if 'knn' in self.methods
      else None,
    )


def prepare(
  run: Run,
  dataset: Dataset | None = None,
  *,
  train: str | None = None,
  val: str | None = None,
  test: str | None = None,
  methods: Sequence[str] = METHODS,
  neighbors: Sequence[int] = (20,),
  strengths: Sequence[float] = STRENGTHS,
) -> Probe:
  """Returns the probe of a net's features on a data set; `measure` runs it.

  Args:
    run: of `load_run` or `load_pretrained`.
    dataset: of any classes; None = the run's own.
    train: the split to learn from; see `choose_splits`.
    val: the split to choose the L2 strength by.
    test: the split to count on.
    methods: `linear`, `knn` or both.
    neighbors: numbers of them to try.
    strengths: of L2, to choose from; one is taken without a choice.

  Raises:
    UsageError: a split that is not there or shares images with another, one
      class alone, other channels, or more neighbours than images.
  """
  dataset = dataset or run.setup.dataset
  info = dataset.info
  if info.num_classes < 2:
    raise UsageError(
      f'{info.name} has {info.num_classes} classes: a probe tells two or more '
      'apart (--dataset).'
    )
  width(run)  # refuses a model without features
  splits = choose_splits(info, train=train, val=val, test=test)
  counts = {
    name: len(dataset.split(spec))
    for name, spec in splits._asdict().items()
    if spec
  }
  _check_neighbors(methods, neighbors, counts, info)
  return Probe(run, dataset, splits, counts, methods, neighbors, strengths)


def choose_splits(
  info: DatasetInfo,
  *,
  train: str | None = None,
  val: str | None = None,
  test: str | None = None,
) -> Splits:
  """Returns the splits, those that are not given by what the data set has.

  Test is `test`, else `validation`, else the last tenth of `train`. A
  `validation` that is not the test is chosen on where `train` is not given;
  otherwise a part of `train` is held out.

  Raises:
    UsageError: a split is not there, or shares images with another.
  """
  if not (train and test) and 'train' not in info.splits:
    raise UsageError(
      f"{info.name} has no split 'train', only {', '.join(info.splits)}: give "
      '--train_split and --test_split.'
    )
  test = test or default_splits(info).test
  used = parse_split(test, info).name
  if not (train or val or used == 'validation') and 'validation' in info.splits:
    val = 'validation'
  train = train or ('train[:90%]' if used == 'train' else 'train')
  splits = Splits(train, val, test)
  given = [(name, spec) for name, spec in splits._asdict().items() if spec]
  for i, (name, spec) in enumerate(given):
    for other, its in given[:i]:
      if parse_split(spec, info).may_share(parse_split(its, info)):
        raise UsageError(
          f'--{name}_split={spec} shares images of {info.name} with '
          f'--{other}_split={its}: give parts that do not.'
        )
  return splits


def _check_neighbors(
  methods: Sequence[str],
  neighbors: Sequence[int],
  counts: dict[str, int],
  info: DatasetInfo,
) -> None:
  images = counts['train'] + counts.get('val', 0)
  if 'knn' in methods and not 1 <= min(neighbors) <= max(neighbors) <= images:
    raise UsageError(
      f'--neighbors={",".join(map(str, neighbors))} may be 1 to {images:,}: '
      f'{info.name} has no more images to learn from.'
    )
