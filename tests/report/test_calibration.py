"""Calibration against loops over bins."""

import numpy as np
import pytest

from resflax.report.calibration import calibration
from resflax.report.reliability import draw_reliability

RNG = np.random.default_rng(3)


def test_the_error_is_the_mean_gap_of_the_bins():
  p = RNG.uniform(0, 1, 500).astype(np.float32)
  right = RNG.uniform(0, 1, 500) < p**2
  found = calibration(p, right, bins=15)
  error = 0
  for i in range(15):
    inside = (p > i / 15) & (p <= (i + 1) / 15)
    assert found.count[i] == inside.sum() > 0
    gap = abs(right[inside].mean() - p[inside].astype(np.float64).mean())
    error += inside.mean() * gap
  assert found.error == pytest.approx(error)
  assert found.error > 0.1  # it is over-confident by p - p ** 2


def test_ends_are_inside_and_empty_bins_count_for_nothing():
  found = calibration(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 0], bool))
  assert found.count.tolist() == [1] + [0] * 13 + [2]
  assert found.error == pytest.approx((0 + 2 * 0.5) / 3)


@pytest.mark.parametrize('is_right', [False, True])
def test_a_gap_hides_what_is_under_it(is_right):
  found = calibration(np.full(8, 0.6), np.full(8, is_right))
  [axes] = draw_reliability({'a set': found}).axes
  [right], [gap] = axes.containers
  assert right.get_height() == is_right
  assert gap.get_y() == pytest.approx(0.6 if is_right else 0)
  assert gap.get_height() == pytest.approx(0.4 if is_right else 0.6)
  assert gap.get_alpha() is None and gap.zorder >= right.zorder


def test_a_panel_for_each_set():
  made = calibration(RNG.uniform(0, 1, 50), RNG.uniform(0, 1, 50) < 0.5)
  figure = draw_reliability({f'set {i}': made for i in range(5)})
  assert [a.get_title(loc='left') for a in figure.axes] == [
    f'set {i}' for i in range(5)
  ]
  width, height = figure.get_size_inches() * 72
  for axes in figure.axes:  # each panel whole, and none on another
    box = axes.get_position()
    assert box.x0 * width > 0 and box.x1 * width < width
    assert box.y0 * height > 0 and box.y1 * height < height
