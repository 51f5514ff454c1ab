"""Gradients from stem to head: what is drawn, and on which scale."""

import numpy as np

from resflax.report.gradients import MOST, Gradients, draw_gradients

STAGES = ('stem', 'stage1', 'stage2', 'head')


def lengths(label, *, first=1.0, last=0.1, parts=STAGES):
  values = np.arange(1.0, 1 + len(parts))
  return Gradients(label, parts, first * values, last * values)


def _ticks(axes):
  axes.figure.draw_without_rendering()
  return [tick.get_text() for tick in axes.get_yticklabels(which='both')]


def test_early_and_late_share_parts_and_scale():
  early, late = draw_gradients([lengths('plain'), lengths('residual')]).axes
  for axes, scale in ((early, 1.0), (late, 0.1)):
    names = [tick.get_text() for tick in axes.get_xticklabels()]
    assert names == list(STAGES) and axes.get_yscale() == 'log'
    np.testing.assert_allclose(
      axes.lines[0].get_ydata(), scale * np.arange(1, 5)
    )
  assert early.get_ylim() == late.get_ylim()
  assert all('$' not in text for text in _ticks(early) + _ticks(late))
  assert early.get_ylim()[0] < 0.1 and early.get_ylim()[1] > 4


def test_each_line_ends_in_its_label_and_value():
  _, late = draw_gradients([lengths('plain'), lengths('residual')]).axes
  texts = [text.get_text() for text in late.texts[1:]]
  assert texts == ['plain 0.4', 'residual 0.4']


def test_a_net_of_fewer_stages_ends_at_its_own_head():
  short = lengths('short', parts=('stem', 'stage1', 'head'))
  other = lengths('other', parts=('stem', 'top', 'head'))
  early, _ = draw_gradients([short, lengths('long'), other]).axes
  assert list(early.lines[0].get_xdata()) == [0, 1, 3]
  assert list(early.lines[2].get_xdata()) == [0, 4, 3]


def test_so_many_labels_can_be_told_apart():
  early, _ = draw_gradients([lengths(f'l{n}') for n in range(MOST)]).axes
  looks = {(line.get_color(), line.get_linestyle()) for line in early.lines}
  assert len(looks) == MOST
