"""What a law says of a budget, and which runs would show one."""

import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.sweeps.analysis import analyse
from resflax.sweeps.forecast import forecast, missing
from resflax.sweeps.law import NotIdentified
from tests.sweeps import synthetic

OPTIONS = {'least_decades': 1.5, 'refits': 200}


@pytest.fixture(scope='module')
def law():
  points = synthetic.sweep(np.random.default_rng(0), noise=0.01)
  return forecast(points, analyse(points, **OPTIONS), **OPTIONS)


def test_a_forecast_is_near_the_true_law(law):
  compute = 4 * law.largest
  true = synthetic.errors(np.array([1e12, compute]))[1]
  said = law.at(compute)
  low, high = said['interval']
  assert low < said['value'] < high and low < true < high
  assert high / low < 1.2
  assert law.beyond(compute) == pytest.approx(np.log10(4))
  assert law.decades == pytest.approx(2.5)


def test_the_compute_of_an_error_is_that_at_which_the_law_has_it(law):
  compute = law.compute_for(0.1)
  assert law.at(compute)['value'] == pytest.approx(0.1)


def test_an_error_below_the_floor_is_refused(law):
  with pytest.raises(UsageError, match=r"No compute reaches 0\.01: the law's"):
    law.compute_for(0.01)


@pytest.mark.parametrize(
  'options, wanted',
  [
    ({'points': 4}, 'Run 2 more designs.'),
    (
      {'points': 5, 'decades': 1.0},
      'Run 1 more designs and designs up to 3.2e+13 FLOPs (the largest has '
      '1e+13).',
    ),
    (
      {'decades': 2.0, 'floor': 0.6, 'seeds': 2},
      'Run designs of 3e+14 and 1e+15 FLOPs (the largest has 1e+14), and more '
      'seeds (now 2 at least).',
    ),
  ],
)
def test_without_a_law_it_says_what_to_run(options, wanted):
  points = synthetic.sweep(np.random.default_rng(0), **options)
  assert missing(points, 1.5) == wanted
  with pytest.raises(NotIdentified, match='no law to plan by') as error:
    forecast(points, analyse(points, **OPTIONS), **OPTIONS)
  assert str(error.value).endswith(wanted)
