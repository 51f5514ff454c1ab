import numpy as np

from resflax.report.read import read_run
from resflax.report.series import MOST_POINTS, stage_changes, thin


def test_a_short_curve_stays_as_it_is():
  values = np.linspace(0.0, 1.0, MOST_POINTS)
  np.testing.assert_array_equal(thin(values), values)


def test_a_long_curve_becomes_means_and_bounds_of_runs_of_rows():
  values = np.random.default_rng(0).normal(size=MOST_POINTS * 5)
  blocks = values.reshape(MOST_POINTS, 5)
  np.testing.assert_allclose(thin(values), blocks.mean(1))
  np.testing.assert_array_equal(thin(values, np.minimum), blocks.min(1))
  np.testing.assert_array_equal(thin(values, np.maximum), blocks.max(1))


def test_thinning_takes_every_row_once_whatever_their_number():
  values = np.ones(MOST_POINTS * 2 + 7)
  assert len(thin(values)) == MOST_POINTS
  np.testing.assert_array_equal(thin(values), 1.0)


def test_a_stage_ends_with_its_last_row(write_run):
  np.testing.assert_array_equal(stage_changes(read_run(write_run())), [20])
