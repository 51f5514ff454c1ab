"""Curves over compute: which number stands for which label."""

import numpy as np

from resflax.report.tracks import Panel, Track, draw_tracks


def track(label, compute, *values):
  x = compute * np.arange(1.0, len(values) + 1) / len(values)
  y = np.array(values, np.float64)
  return Track(label, x, y, y, y, 'blue')


def _is_label(words):
  return len(words) == 3


def test_each_end_has_the_number_of_its_label_in_every_panel():
  small, large = ('small', 1e10), ('large', 1e12)
  panels = [
    Panel('accuracy', [track(*small, 10, 60), track(*large, 20, 90)], True),
    Panel('loss', [track(*small, 2.0, 1.0), track(*large, 1.9, 0.3)], False),
  ]
  figure = draw_tracks(panels, is_compute=True)
  for axes, panel in zip(figure.axes, panels, strict=True):
    words = [text.get_text().split() for text in axes.texts]
    labels = {name: number for number, name, _ in filter(_is_label, words)}
    assert labels == {'small': '2', 'large': '1'}
    at = {text.xy: text.get_text() for text in axes.texts}
    assert [at[t.x[-1], t.mean[-1]] for t in panel.tracks] == ['2', '1']
    assert axes.get_xlim()[1] > 1e12


def test_curves_over_steps_have_no_numbers():
  panel = Panel('accuracy', [track('a', 10, 1, 2), track('b', 10, 3, 4)], True)
  [axes] = draw_tracks([panel], is_compute=False).axes
  texts = [text.get_text() for text in axes.texts]
  assert [text for text in texts if text != 'accuracy'] == ['a 2.00', 'b 4.00']
  assert axes.get_xlim() == (0, 10)
