"""Deep against wide: which nets are a pair, and what a pair says."""

import json

import pytest

from resflax.errors import StorageError
from resflax.sweeps.overfitting import (
  Difference,
  pairs,
  verdict,
  verdicts,
  with_train_loss,
)
from tests.sweeps.synthetic import point


def net(number, *, blocks, width, macs, loss=(1.0, 1.0, 1.0), **fields):
  return point(
    number,
    1.0,
    [0.5] * len(loss),
    depths=(blocks,),
    width=width,
    macs=macs,
    loss=tuple(loss),
    folders=tuple(f'{number}/{seed}' for seed in range(len(loss))),
    **fields,
  )


DEEP = net(0, blocks=7, width=0.5, macs=244, loss=(1.00, 1.10, 1.20))
WIDE = net(1, blocks=3, width=0.75, macs=229, loss=(1.01, 1.09, 1.20))


def test_a_pair_is_of_equal_cost_data_and_resolution():
  others = [
    net(2, blocks=3, width=0.75, macs=200),
    net(3, blocks=3, width=0.75, macs=229, group='fresh'),
    net(4, blocks=3, width=0.75, macs=229, resolution=16),
    net(5, blocks=3, width=0.4, macs=229),
  ]
  assert pairs([WIDE, *others, DEEP]) == [(DEEP, WIDE)]


def test_a_pair_is_of_one_recipe_or_of_one_for_each_shape():
  slow, fast = (
    [net._replace(recipe=rate) for net in (DEEP, WIDE)] for rate in '12'
  )
  assert pairs([*slow, *fast]) == [tuple(slow), tuple(fast)]
  assert pairs([slow[0], fast[1]]) == [(slow[0], fast[1])]
  assert pairs([slow[0], fast[0], fast[1]]) == [tuple(fast)]


def test_a_damaged_measurement_is_told(tmp_path):
  (tmp_path / 'train_loss.json').write_text('')
  run = WIDE._replace(folders=(str(tmp_path),))
  with pytest.raises(StorageError, match='train_loss.json.*delete this file'):
    with_train_loss([run])


def test_points_without_a_loss_have_no_pair():
  assert pairs([DEEP._replace(loss=()), WIDE]) == []


@pytest.mark.parametrize(
  'held_out, train, error, grow',
  [
    ((-0.10, 0.05), None, (0, 1), 'width'),
    ((0.10, 0.05), None, (0, 1), 'depth'),
    ((0.01, 0.05), None, (0, 1), 'undecided'),
    ((0.01, 0.05), (-0.2, 0.1), (0, 1), 'depth'),
    ((0.01, 0.05), (-0.2, 0.1), (-0.02, 0.01), 'undecided'),
    ((0.01, 0.05), (0.0, 0.1), (0, 1), 'undecided'),
    ((-0.10, 0.05), (-0.2, 0.1), (0, 1), 'width'),
  ],
)
def test_what_a_pair_says(held_out, train, error, grow):
  train = train and Difference(*train)
  assert verdict(Difference(*held_out), train, Difference(*error)) == grow


def test_differences_are_paired_by_the_seed():
  [row] = verdicts([DEEP, WIDE])
  # Student's interval of 0.01, -0.01 and 0: 4.303 * 0.01 / sqrt(3).
  assert row['held_out'] == pytest.approx([0.0, 0.02484], abs=1e-5)
  assert row['error'] == pytest.approx([0, 0])
  assert (row['train'], row['grow']) == (None, 'undecided')
  deep = DEEP._replace(train_loss=(0.5, 0.5, 0.5))
  wide = WIDE._replace(train_loss=(0.3, 0.31, 0.32))
  [row] = verdicts([deep, wide])
  assert row['train'][0] == pytest.approx(-0.19) and row['grow'] == 'depth'
  [row] = verdicts([deep, WIDE])
  assert (row['train'], row['grow']) == (None, 'undecided')


def test_training_losses_count_where_all_seeds_have_them(tmp_path):
  for seed in range(3):
    folder = tmp_path / '0' / str(seed)
    folder.mkdir(parents=True)
    (folder / 'train_loss.json').write_text(json.dumps({'loss': 0.1 * seed}))
  deep = DEEP._replace(folders=tuple(str(tmp_path / f) for f in DEEP.folders))
  wide = WIDE._replace(folders=tuple(str(tmp_path / f) for f in WIDE.folders))
  [deep, wide] = with_train_loss([deep, wide])
  assert deep.train_loss == pytest.approx((0, 0.1, 0.2))
  assert wide.train_loss == ()
  (tmp_path / '0' / '1' / 'train_loss.json').unlink()
  deep = deep._replace(train_loss=())
  assert with_train_loss([deep]) == [deep]
