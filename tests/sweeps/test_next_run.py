"""From a sweep whose law is known to the run that comes next."""

import numpy as np
import pytest

from resflax.config import resolve
from resflax.data.records import DatasetInfo
from resflax.errors import UsageError
from resflax.fields import nest
from resflax.sweeps.analysis import analyse_runs
from resflax.sweeps.budget import Budget
from resflax.sweeps.next_run import _start, next_run
from resflax.sweeps.recipe import Shape, recipe_from, recipe_of
from resflax.sweeps.results import read_points
from resflax.sweeps.telling import told
from tests.sweeps import folders

OPTIONS = {'least_decades': 1.5, 'refits': 200}


@pytest.fixture(scope='module')
def sweep(tmp_path_factory):
  """The points of a sweep, and what they say."""
  folder = tmp_path_factory.mktemp('ladder')
  folders.write_sweep(folder)
  points = read_points(str(folder))
  return points, analyse_runs(points, **OPTIONS)


def planned(sweep, budget=Budget(), **options):  # noqa: B008
  return next_run(*sweep, recipe_of, budget, **OPTIONS, **options)


def values(plan):
  return {path: entry['value'] for path, entry in plan['fields'].items()}


def test_costs_are_those_of_runs(sweep):
  for point in sweep[0]:
    shape = Shape(tuple(point.depths), point.width, point.resolution)
    cost = recipe_of(point).cost(shape)
    assert cost[:3] == (point.params, point.macs, point.compute)
    assert cost.epochs == pytest.approx(point.epochs)


def test_sizes_in_pixels_grow_with_the_resolution(sweep):
  recipe = recipe_of(sweep[0][0])
  values = {
    **recipe.values,
    'resolution.schedule': 'linear',
    'resolution.start': 8,
    'resolution.test': 24,
  }
  grown = recipe._replace(values=values).fields(Shape((1,) * 4, 1.0, 32))
  assert recipe.resolution == 16
  assert grown['resolution.start'] == 16 and grown['resolution.test'] == 48


def test_without_a_budget_it_is_four_times_the_largest(sweep):
  plan = planned(sweep)
  largest = sweep[0][-1]
  assert 0.8 * 4 * largest.compute < plan['compute'] <= 4.04 * largest.compute
  low, high = plan['predicted']['interval']
  assert low < folders.law(plan['compute']) < high
  times = plan['compute'] / largest.compute
  assert plan['decades_beyond'] == pytest.approx(np.log10(times))
  assert plan['grow'] == 'undecided' and len(plan['would_decide']) == 2
  shape = values(plan)
  assert shape['model.width'] > largest.width
  assert shape['model.depths'] > tuple(largest.depths)
  text = ' '.join(told(plan))
  assert 'beyond the largest run' in text and 'To decide, run' in text


@pytest.mark.parametrize('grow', ['depth', 'width'])
def test_what_is_set_grows_alone(sweep, grow):
  plan, largest = planned(sweep, grow=grow), sweep[0][-1]
  shape = values(plan)
  assert (shape['model.depths'] > tuple(largest.depths)) == (grow == 'depth')
  assert (shape['model.width'] > largest.width) == (grow == 'width')
  assert 'as set; measured: undecided' in plan['evidence']


def test_a_budget_inside_the_sweep_grows_a_smaller_design(sweep):
  point = sweep[0][6]
  plan = planned(sweep, Budget(flops=1.5 * point.compute))
  assert plan['compute'] <= 1.01 * 1.5 * point.compute
  assert plan['anchor'] == point.label and plan['decades_beyond'] < 0
  assert 'nothing is extrapolated' in ' '.join(told(plan))
  same = planned(sweep, Budget(flops=point.compute))
  assert not same['is_new'] and same['compute'] == point.compute
  assert 'which the sweep has trained' in ' '.join(told(same))


def test_budgets_of_macs_and_of_error(sweep):
  macs = 3 * sweep[0][-1].macs
  assert 0.8 * macs < planned(sweep, Budget(macs=macs))['macs'] <= 1.01 * macs
  plan = planned(sweep, Budget(error=0.1))
  assert 0.09 < plan['predicted']['value'] <= 0.1


@pytest.mark.parametrize(
  'budget, message',
  [
    (Budget(flops=1e8), 'lies below the whole sweep'),
    (Budget(flops=1e19), 'decades beyond a sweep of'),
    (Budget(error=0.001), 'No compute reaches 0.001'),
    (Budget(flops=1e14, macs=1e9), 'Two budgets, flops and macs'),
  ],
)
def test_budgets_that_are_refused(sweep, budget, message):
  with pytest.raises(UsageError, match=message):
    planned(sweep, budget)


def test_another_length_is_doubted(sweep):
  def longer(point):
    recipe = recipe_of(point)
    values = {**recipe.values, 'schedule.total_epochs': 120.0}
    return recipe._replace(values=values)

  budget = Budget(flops=3 * sweep[0][-1].compute)
  plan = next_run(*sweep, longer, budget, **OPTIONS)
  assert plan['compute'] <= 1.01 * budget.flops
  assert 'it trains for 120 epochs' in ' '.join(plan['doubts'])


def test_why_the_resolution_stays(sweep):
  """The frontier may tell of no growth, or of too little for eight pixels."""
  points, found = sweep
  frontier = [points[i] for i in found['pareto']['compute']]
  anchor = frontier[-1]
  same = [p for p in frontier if p.resolution == anchor.resolution]
  for chosen, end in ((same, ': as it is'), (frontier, 'within the budget')):
    shape, why = _start(anchor, recipe_of(anchor), chosen, 1.01, lambda _: True)
    assert shape.resolution == anchor.resolution and why.endswith(end)


def test_fields_that_no_run_has_are_doubted(sweep):
  points, _ = sweep
  for changed, others in (
    ({}, ()),
    ({'model.width': 0.5, 'resolution.train': 24, 'log_every_steps': 7}, ()),
    (
      {'optimizer.lr': 0.3, 'schedule.total_epochs': 7.0},
      ('optimizer.lr', 'schedule.total_epochs'),
    ),
  ):
    values = {**recipe_of(points[0]).values, **changed}
    recipe = recipe_from(
      resolve(nest(values), folders.FACTS),
      nest(values),
      DatasetInfo('digits', '1', tuple('0123456789'), 1, {}),
      folders.FACTS.num_examples,
      points,
    )
    assert recipe.others == others
    plan = next_run(*sweep, lambda _, r=recipe: r, Budget(), **OPTIONS)
    told_so = [d for d in plan['doubts'] if 'no run of the sweep has' in d]
    assert len(told_so) == bool(others)


def test_a_law_that_broke_on_its_largest_run_is_doubted(sweep):
  points, found = sweep
  law = found['laws']['frontier']
  row = {**law['held_out'][0], 'inside': False}
  broken = {**law, 'held_out': [row], 'lack_of_fit_p': 0.01}
  laws = {**found['laws'], 'frontier': broken}
  plan = planned((points, {**found, 'laws': laws}))
  text = ' '.join(told(plan))
  assert 'outside the interval' in text and 'misfit p 0.01' in text


@pytest.mark.parametrize(
  'before, after, message',
  [
    ('"weights": null', '"weights": "a.safetensors"', 'starts from weights'),
    ('"ramp_end"', '"ramp_over"', '^a was .*f00d.*which had .*ramp_over: plan'),
  ],
)
def test_runs_that_no_larger_one_can_be_like(tmp_path, before, after, message):
  folders.write_run(
    tmp_path / 'a', {**folders.shape(1, 0.25, 16)}, lambda _: 0.2
  )
  [point] = read_points(str(tmp_path))
  file = tmp_path / 'a' / 'config.json'
  text = file.read_text()
  assert text.count(before) == 1
  file.write_text(text.replace(before, after))
  with pytest.raises(UsageError, match=message):
    recipe_of(point)
