"""Randomness by example alone, and what Augment makes of it."""

import numpy as np
import pytest

from resflax.data import augment
from resflax.data.augment import Augment, uniforms
from resflax.data.crops import Box
from resflax.data.randaugment import RandAugment
from resflax.errors import UsageError


def test_uniforms_depend_on_the_example_alone():
  pairs = [(0, 3), (0, 4), (2, 3), (7, 2**40)]
  together = uniforms(5, pairs)
  for pair, row in zip(pairs, together, strict=True):
    np.testing.assert_array_equal(uniforms(5, [pair])[0], row)
  np.testing.assert_array_equal(uniforms(5, pairs[::-1]), together[::-1])
  values = [*together.ravel(), *uniforms(6, pairs).ravel()]
  assert len(set(values)) == len(values)
  # the stream is pinned: resumed runs must see the same crops
  generator = np.random.Generator(
    np.random.Philox(key=[5, 0], counter=[0, 0, 2, 3])
  )
  np.testing.assert_array_equal(generator.random(augment.DRAWS), together[2])


def test_uniforms_are_uniform():
  values = uniforms(0, [(0, i) for i in range(4000)])
  assert abs(values.mean() - 0.5) < 0.005
  assert np.abs(values.mean(axis=0) - 0.5).max() < 0.02
  correlation = np.corrcoef(values.T) - np.eye(augment.DRAWS)
  assert np.abs(correlation).max() < 0.08


def test_augment_chooses_by_its_fields():
  rows = uniforms(0, [(0, i) for i in range(400)]).tolist()
  choose = Augment('none', flip=False)
  assert {choose(row, 20, 30) for row in rows} == {(Box(0, 5, 20, 20), False)}
  flips = [Augment('none', flip=True)(row, 20, 20)[1] for row in rows]
  assert 160 < sum(flips) < 240
  boxes = {Augment('pad', pad=0.1)(row, 20, 20)[0] for row in rows}
  assert len(boxes) == 25


@pytest.mark.parametrize(
  ('fields', 'says'),
  [
    ({'crop': 'padd'}, "Did you mean 'pad'"),
    ({'area': (0.0, 1.0)}, 'augment.area'),
    ({'area': (0.5, 1.5)}, 'augment.area'),
    ({'ratio': (2.0, 1.0)}, 'augment.ratio'),
    ({'pad': 1.0}, 'augment.pad'),
  ],
)
def test_values_out_of_range_are_refused(fields, says):
  with pytest.raises(UsageError, match=says):
    Augment(**fields)


def test_randaugment_draws_behind_the_crop():
  """So that switching it on changes neither crops nor flips."""
  plain = Augment()
  full = Augment(randaugment=RandAugment(layers=2, magnitude=15.0))
  assert full.num_draws == plain.num_draws + 8
  pairs = [(0, i) for i in range(50)]
  short = uniforms(3, pairs, plain.num_draws)
  long = uniforms(3, pairs, full.num_draws)
  np.testing.assert_array_equal(long[:, : plain.num_draws], short)
  for row in long.tolist():
    assert full(row, 300, 200) == plain(row[: plain.num_draws], 300, 200)
