"""The curves of labels: what is drawn, and which are named."""

import numpy as np
import pytest

from resflax.report.tracks import MOST_NAMES, Panel, Track, draw_tracks, named


def track(label, end, color='gray'):
  x = np.array([1e9, 1e10, 1e11])
  mean = np.array([10.0, 50.0, end])
  return Track(label, x, mean, mean - 1, mean + 1, color)


def panel(count, is_accuracy=True):
  tracks = [track(f'l{number}', 60.0 + number) for number in range(count)]
  return Panel('Validation', tracks, is_accuracy)


def test_each_curve_ends_in_its_label_and_value():
  small, large = track('small', 60.0), track('large', 90.0, 'blue')
  tracks = [small._replace(x=small.x / 10), large]
  [axes] = draw_tracks([Panel('Top-1', tracks, True)], True).axes
  texts = [text.get_text() for text in axes.texts]
  assert texts[:3] == ['Top-1', '2 small 60.00', '1 large 90.00']
  ends = {text.get_text(): text.xy for text in axes.texts[3:]}
  assert ends == {'1': (1e11, 90.0), '2': (1e10, 60.0)}
  assert axes.get_xscale() == 'log' and axes.get_ylim() == (30, 97.5)
  assert len(axes.collections) == 1  # the range of what is in colour


def test_a_label_has_one_number_in_all_panels():
  small, large = track('small', 60.0), track('large', 90.0)
  less = [small._replace(mean=large.mean), large._replace(mean=small.mean)]
  panels = [Panel('Top-1', [small, large], True), Panel('Loss', less, False)]
  for axes, of_axes in zip(draw_tracks(panels, True).axes, panels, strict=True):
    words = [text.get_text().split() for text in axes.texts]
    numbers = {w[1]: w[0] for w in words if len(w) == 3}
    assert numbers == {'small': '2', 'large': '1'}
    at = {text.xy: text.get_text() for text in axes.texts}
    assert [at[t.x[-1], t.mean[-1]] for t in of_axes.tracks] == ['2', '1']


def test_over_steps_nothing_is_numbered():
  [axes] = draw_tracks([panel(2)], False).axes
  texts = [text.get_text() for text in axes.texts]
  assert texts == ['Validation', 'l0 60.00', 'l1 61.00']


def test_over_steps_the_axis_begins_at_none():
  axes, below = draw_tracks([panel(2), panel(2, False)], False).axes
  assert axes.get_xlim()[0] == 0 and axes.get_xscale() == 'linear'
  assert below.get_ylim()[0] == 0


@pytest.mark.parametrize('is_accuracy', [True, False])
def test_of_many_the_best_are_named(is_accuracy):
  many = panel(MOST_NAMES + 5, is_accuracy)
  labels = {found.label for found in named(many)}
  assert len(labels) == MOST_NAMES
  best, worst = f'l{MOST_NAMES + 4}', 'l0'
  assert (best in labels) == is_accuracy and (worst in labels) != is_accuracy


def test_long_labels_are_cut():
  long = Panel('Top-1', [track('x' * 60 + '_lr0.1', 60.0)], True)
  [axes] = draw_tracks([long], True).axes
  text = axes.texts[-1].get_text()
  assert text.startswith('xxx') and text.endswith('_lr0.1 60.00')
  assert '…' in text and len(text) <= 34


@pytest.mark.parametrize('is_compute', [True, False])
def test_all_panels_have_the_same_axis(is_compute):
  late = panel(2)
  late = late._replace(tracks=[t._replace(x=10 * t.x) for t in late.tracks])
  first, second = draw_tracks([late, panel(2, False)], is_compute).axes
  assert first.get_xlim() == second.get_xlim()
  low, high = first.get_xlim()
  # Over compute the last end has room for its number: 0.03 of three decades.
  margin = 10**0.09 if is_compute else 1
  assert (low, high) == (1e9 if is_compute else 0, pytest.approx(1e12 * margin))


@pytest.mark.filterwarnings('error')
def test_single_points_can_be_drawn():
  x = np.array([1e12])
  point = Track('l', x, x * 0 + 60, x * 0 + 60, x * 0 + 60, 'gray')
  draw_tracks([Panel('Top-1', [point], True)], True)
