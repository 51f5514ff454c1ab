"""A config in which every field is decided, and what was known of the data."""

import dataclasses
from collections.abc import Mapping

from resflax import schema
from resflax.batches import num_steps
from resflax.fields import nest


@dataclasses.dataclass(frozen=True)
class Facts:
  """What `resolve` needs to know about a data set and a machine.

  Attributes:
    num_examples: to train on, each counted once.
    splits: the default of `train_split`, `val_split` and `test_split`.
    split_reason: why these.
    platform: that the run is compiled for: cpu, gpu or tpu.
    weights: fields by path that the weights to start from are for.
    epoch_examples: of an epoch, where not all are seen in one.
  """

  num_examples: int
  splits: Mapping[str, str]
  split_reason: str
  platform: str = 'cpu'
  weights: Mapping[str, object] = dataclasses.field(default_factory=dict)
  epoch_examples: int | float | None = None

  @property
  def epoch(self) -> int | float:
    """Examples of an epoch."""
    return self.epoch_examples or self.num_examples


@dataclasses.dataclass(frozen=True)
class Resolved:
  """A config in which every field is decided.

  Attributes:
    values: `{dotted path: value}`; holds derived paths that are no fields of
      the schema as well, such as `optimizer.peak_lr`.
    reasons: `{dotted path: why}` of the derived ones.
  """

  values: dict[str, object]
  reasons: dict[str, str]

  def __getitem__(self, path: str):
    return self.values[path]

  @property
  def total_steps(self) -> int:
    """Steps of the run: `schedule.total_steps`, or fewer of more batches."""
    return num_steps(self['resolution.table'], self['schedule.total_steps'])

  def group(self, name: str) -> dict:
    """Returns the nested dict of one group, such as `model`."""
    return self.config[name]

  @property
  def config(self) -> dict:
    """The nested dict of the schema's fields."""
    return nest({path: self.values[path] for path in schema.FIELDS})

  @property
  def derived(self) -> dict:
    """`{dotted path: {value, reason}}`, as `config.json` stores it."""
    return {
      path: {'value': self.values[path], 'reason': reason}
      for path, reason in self.reasons.items()
    }

  def derive(self, path: str, value: object, reason: str) -> None:
    """Decides a field, unless somebody set it."""
    if self.values.get(path) is None:
      self.values[path] = value
      self.reasons[path] = reason
