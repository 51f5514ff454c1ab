"""Whose turn it is in a mixture of data sets, by position: integers only.

The first source is the labelled one, whose epochs are the run's: while it gives
`ratios[0]` examples, each other source gives as many as its ratio says. Every
source has positions, and so shuffled epochs, of its own.
"""

import functools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from resflax.errors import UsageError

LANES = 256  # of the order `lanes`, whose positions go from one to the next
RATIO = 3  # of unlabelled to labelled images. Source: Xie et al. 2020, 4.1


class Turn(NamedTuple):
  """A position of a mixture.

  Attributes:
    source: that gives the example.
    position: in that source's own sequence.
  """

  source: int
  position: int


def turn_at(position: int, ratios: Sequence[int], run: int = 1) -> Turn:
  """Returns which source gives the example at a position, and which one.

  Args:
    position: in the training sequence.
    ratios: examples of each source in a cycle.
    run: examples that a source gives in a row; 1 mixes best.
  """
  cycle = _cycle(tuple(ratios))
  chunk, offset = divmod(position, run)
  before, slot = divmod(chunk, len(cycle))
  source, rank = cycle[slot]
  return Turn(source, (before * ratios[source] + rank) * run + offset)


def ratios_of(
  sources: Sequence[str], given: Sequence[int] | None
) -> tuple[int, ...]:
  """Returns the ratios of a mixture: those given, or the published one.

  Raises:
    UsageError: not one for the labelled data and for each source.
  """
  ratios = tuple(given or (1, *[RATIO] * len(sources)))
  if given and not sources:
    raise UsageError(
      f'config.data.mixture.ratios={ratios} has no config.data.mixture.sources '
      'to mix in: set them, or use scripts.self_train, which makes them.'
    )
  if len(ratios) != 1 + len(sources) or min(ratios) < 1:
    raise UsageError(
      f'config.data.mixture.ratios={ratios} takes numbers from 1 on, one for '
      f'the labelled data and one for each of {len(sources)} '
      'config.data.mixture.sources, such as '
      f'{(1, *[RATIO] * len(sources))}.'
    )
  return ratios


def epoch_examples(num_labelled: int, ratios: Sequence[int]) -> float:
  """Returns the examples of all sources in one pass over the labelled one."""
  return num_labelled * sum(ratios) / ratios[0]


@functools.lru_cache(maxsize=8)
def _cycle(ratios: tuple[int, ...]) -> list[tuple[int, int]]:
  """Returns (source, number of its example) of each slot, evenly spread."""
  places = [
    (Fraction(2 * rank + 1, 2 * ratio), source, rank)
    for source, ratio in enumerate(ratios)
    for rank in range(ratio)
  ]
  return [(source, rank) for _, source, rank in sorted(places)]
