"""Training examples that cannot be used: replaced, counted, and limited."""

import collections
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resflax.errors import DataError

_LISTED = 20

# How every message about one ends.
VERIFY = 'or look through everything with scripts.prepare_data --verify.'


class Bad(NamedTuple):
  """An example that cannot be used.

  Attributes:
    index: in its split.
    place: where it is, for people.
    reason: what is wrong with it.
  """

  index: int
  place: str
  reason: str

  @property
  def kind(self) -> str:
    """What is wrong, without the particulars: `PNG is damaged`."""
    return self.reason.partition(':')[0]


class BadExamples:
  """Counts bad examples, each once, and stops when they are too many.

  Args:
    num_examples: of the split.
    budget: share of them that may be bad.
    known: of an earlier start of the run.
  """

  def __init__(
    self,
    num_examples: int,
    budget: float,
    known: Iterable[Sequence] = (),
  ):
    self._num_examples = num_examples
    self._budget = budget
    self._found = {bad.index: bad for bad in (Bad(*item) for item in known)}

  def __len__(self) -> int:
    return len(self._found)

  @property
  def found(self) -> list[Bad]:
    """Those found, in the order in which they were."""
    return list(self._found.values())

  def add(self, bad: Iterable[Bad]) -> list[Bad]:
    """Adds examples and returns those that are new.

    Raises:
      DataError: they are more than the budget allows; lists the first ones.
    """
    new = [item for item in bad if item.index not in self._found]
    self._found |= {item.index: item for item in new}
    allowed = int(self._budget * self._num_examples)
    if len(self._found) > allowed:
      raise DataError(self._too_many(allowed))
    return new

  def _too_many(self, allowed: int) -> str:
    kinds = collections.Counter(bad.kind for bad in self.found)
    listed = '; '.join(
      f'{bad.place}: {bad.reason}' for bad in self.found[:_LISTED]
    )
    more = len(self._found) - _LISTED
    return (
      f'{len(self._found)} of {self._num_examples:,} training examples cannot '
      f'be used, and data.bad_budget={self._budget:g} allows {allowed} '
      f'({", ".join(f"{n} {kind}" for kind, n in kinds.items())}): {listed}'
      + (f'; and {more} more' if more > 0 else '')
      + '. Remove or replace those files, or raise config.data.bad_budget, '
      + VERIFY
    )
