"""Whose turn it is in a mixture."""

import collections

import pytest

from resflax.errors import UsageError
from resflax.turns import LANES, epoch_examples, ratios_of, turn_at

RATIOS = [(1, 3), (2, 3), (1, 1, 5), (3,)]


@pytest.mark.parametrize('run', [1, 4])
@pytest.mark.parametrize('ratios', RATIOS)
def test_every_source_gives_its_positions_in_order(ratios, run):
  cycles = 7
  turns = [turn_at(p, ratios, run) for p in range(cycles * run * sum(ratios))]
  own = collections.defaultdict(list)
  for turn in turns:
    own[turn.source].append(turn.position)
  for source, ratio in enumerate(ratios):
    assert own[source] == list(range(cycles * run * ratio))


def test_sources_are_mixed_within_a_cycle():
  sources = [turn_at(p, (2, 4)).source for p in range(6)]
  assert sources == [1, 0, 1, 1, 0, 1]


def test_in_whole_lanes_a_host_reads_its_own():
  """A position and that in its source are of one lane."""
  for position in (0, 255, 256, 5000, 123_456_789):
    own = turn_at(position, (1, 3), LANES).position
    assert own % LANES == position % LANES


def test_an_epoch_is_one_pass_over_the_labels():
  assert epoch_examples(600, (1, 3)) == 2400
  assert epoch_examples(601, (2, 3)) == 1502.5


def test_ratios():
  assert ratios_of((), None) == (1,)
  assert ratios_of(('a', 'b'), None) == (1, 3, 3)
  assert ratios_of(('a',), (2, 5)) == (2, 5)
  for given in (1,), (1, 0), (0, 1):
    with pytest.raises(UsageError, match=r'mixture\.ratios=\(.*numbers from 1'):
      ratios_of(('a',), given)


def test_ratios_of_no_mixture_are_refused():
  with pytest.raises(UsageError, match=r'=\(1, 3\) has no .*self_train'):
    ratios_of((), (1, 3))
