"""A config's data set as the batches of its run."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

import jax
import numpy as np

from resflax.config import Resolved
from resflax.data import sources
from resflax.data.augment import Augment
from resflax.data.bad import Bad
from resflax.data.fill import bad_among
from resflax.data.mixture import (
  example_ids,
  examples_of_epoch,
  training_records,
)
from resflax.data.order import positions
from resflax.data.pipeline import EvalStep, eval_batches, train_batches
from resflax.data.randaugment import RandAugment
from resflax.data.records import Records
from resflax.resolution import Stage


@dataclasses.dataclass(frozen=True)
class Inputs:
  """What a run sees.

  Attributes:
    resolved: the config with every field decided.
    dataset: where examples come from.
    stages: the training resolution over the steps.
  """

  resolved: Resolved
  dataset: sources.Dataset
  stages: tuple[Stage, ...]

  @functools.cached_property
  def train_records(self) -> Records:
    """What is trained on."""
    return training_records(self.dataset, self.resolved['data.train_split'])

  @property
  def epoch_examples(self) -> int | float:
    """Examples of an epoch: of a mixture, of one pass over the labels."""
    return examples_of_epoch(self.train_records)

  @property
  def soft(self) -> int:
    """Classes of which an example has a part, beside its label."""
    return getattr(self.train_records, 'soft', 0)

  def train_batches(self, start: int) -> Iterator[dict]:
    """Returns the batches of the steps from `start` on."""
    get = self.resolved.values
    return train_batches(
      self.train_records,
      seed=get['seed'],
      batch_size=get['batch_size'],
      stages=self.stages,
      start=start,
      stop=self.resolved.total_steps,
      augment=self._augment(),
      channels=self.dataset.info.channels,
      shuffle=get['data.shuffle'],
      workers=get['data.workers'],
      shard=(jax.process_index(), jax.process_count()),
    )

  def example_ids(self, step: int) -> list[int]:
    """Returns the training examples of update `step`, over all hosts."""
    get = self.resolved.values
    places = positions(self.stages, step - 1, get['batch_size'])
    ids = example_ids(
      self.train_records, get['data.shuffle'], get['seed'], places
    )
    return [int(example) for _, example in ids]

  def bad_among(self, indices: Sequence[int]) -> list[Bad]:
    """Returns those of some training examples that cannot be used."""
    channels = self.dataset.info.channels
    return bad_among(self.train_records, indices, channels)

  def _augment(self) -> Augment:
    fields = self.resolved.group('augment')
    randaugment = RandAugment(**fields['randaugment'])
    names = ('crop', 'flip', 'area', 'ratio', 'pad')
    return Augment(
      **{name: fields[name] for name in names}, randaugment=randaugment
    )

  def eval_batches(self, split: str) -> Iterator[dict]:
    """Returns the padded batches of a split, with the mask."""
    get = self.resolved.values
    return eval_batches(
      self.dataset.split(split),
      batch_size=get['batch_size'],
      resolution=get['resolution.test'],
      crop=get['resolution.test_crop'],
      channels=self.dataset.info.channels,
      shard=(jax.process_index(), jax.process_count()),
    )

  def picture(self, split: str, index: int) -> np.ndarray:
    """Returns an example of a split as evaluation sees it, 96 px at most."""
    get = self.resolved.values
    one = EvalStep(
      self.dataset.split(split),
      batch_size=1,
      resolution=min(get['resolution.test'], 96),
      crop=get['resolution.test_crop'],
      channels=self.dataset.info.channels,
      rows=range(1),
    )
    return one(index)['image'][0]
