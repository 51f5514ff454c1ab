"""Pareto frontiers, and the families that grow along one axis."""

import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.sweeps.frontier import cost_at, families, frontiers, pareto
from resflax.sweeps.points import merge
from tests.sweeps.synthetic import point


@pytest.mark.parametrize('seed', range(5))
def test_the_frontier_is_what_nobody_beats(seed):
  rng = np.random.default_rng(seed)
  cost, error = rng.integers(1, 9, (2, 30)).astype(float)
  kept = pareto(cost, error)
  assert list(cost[kept]) == sorted(set(cost[kept]))

  def beaten(i):
    no_worse = (cost <= cost[i]) & (error <= error[i])
    return (no_worse & ((cost < cost[i]) | (error < error[i]))).any()

  values = {(cost[i], error[i]) for i in range(30) if not beaten(i)}
  assert {(cost[i], error[i]) for i in kept} == values


def test_a_cost_between_two_models_is_on_a_line_in_its_log():
  cost, score = [1.0, 8.0, 4.0], [10.0, 15.0, 20.0]  # the second is beaten
  assert cost_at(15.0, cost, score) == pytest.approx(2.0)
  assert cost_at(20.0, cost, score) == pytest.approx(4.0)
  assert np.isnan(cost_at(9.9, cost, score))
  assert np.isnan(cost_at(20.1, cost, score))


def test_a_cost_that_is_not_known_has_no_frontier():
  points = [point(i, 10.0**i, [0.5 - i / 10], macs=3 - i) for i in range(3)]
  points[1] = points[1]._replace(step_ms=4.0)
  assert frontiers(points, 'error') == {
    'compute': [0, 1, 2],
    'macs': [2],
    'step_ms': [1],
    'tpu_ms': [],
  }


def test_families_grow_along_one_axis():
  shapes = [
    *(((1,), width, 8) for width in (0.5, 1.0, 2.0)),
    *(((depth,), 1.0, 8) for depth in (2, 3)),
    ((1,), 1.0, 16),
    ((4,), 2.0, 16),
  ]
  points = [
    point(i, 1.0 + i, [0.3], depths=d, width=w, resolution=r)
    for i, (d, w, r) in enumerate(shapes)
  ]
  # A worse recipe of the first shape, and another length of training.
  points.append(points[0]._replace(error=(0.4,), config='worse'))
  points.append(point(9, 50, [0.3], width=4.0, group='longer'))
  assert families(points, 'error') == {
    'depth': [1, 3, 4],
    'width': [0, 1, 2],
    'resolution': [1, 5],
  }


def test_runs_that_differ_in_the_seed_alone_are_one_point():
  runs = [
    point(0, 5.0, [0.2], seeds=(1,), step_ms=3.0),
    point(1, 1.0, [0.4]),
    point(0, 5.0, [0.3], seeds=(7,), step_ms=9.0),
  ]
  cheap, dear = merge(runs)
  assert cheap.error == (0.4,)
  assert (dear.seeds, dear.error, dear.step_ms) == ((1, 7), (0.2, 0.3), 6.0)


def test_a_run_that_is_there_twice_is_no_second_seed():
  run = point(0, 5.0, [0.2], folders=('sweep/a',))
  with pytest.raises(UsageError, match='sweep/a and sweep/b are one run'):
    merge([run, run._replace(folders=('sweep/b',))])
