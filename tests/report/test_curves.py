import dataclasses

import numpy as np
import pytest
from sklearn.isotonic import isotonic_regression

from resflax.report.curves import LINE, PANELS, curves, logged_panels, spread
from resflax.report.read import read_run


def texts(axes):
  return [text.get_text() for text in axes.texts]


def test_labels_that_are_far_apart_stay():
  heights = np.array([0.0, 40.0, 90.0])
  np.testing.assert_array_equal(spread(heights), heights)


def test_labels_move_by_the_least_squares():
  heights = np.sort(np.random.default_rng(0).uniform(0, 60, 6))
  slots = LINE * np.arange(6)
  np.testing.assert_allclose(
    spread(heights), isotonic_regression(heights - slots) + slots
  )


def test_every_metric_has_a_panel_over_the_same_steps(write_run):
  run = read_run(write_run())
  figure, panels = curves(run), logged_panels(run)
  assert len(panels) == len(PANELS) - 1  # gradients are on request
  assert {axes.get_xlim() for axes in figure.axes} == {(0, 40)}
  for axes, (title, *_) in zip(figure.axes, panels, strict=True):
    assert title in texts(axes)
    assert [20, 20] in [list(line.get_xdata()) for line in axes.lines]


def test_curves_hold_the_logged_numbers(write_run):
  run = read_run(write_run())
  accuracy, loss, *_ = curves(run).axes
  for axes, metric, scale in (accuracy, 'top1', 100), (loss, 'loss', 1):
    drawn = [line.get_ydata() for line in axes.lines]
    for split in 'train', 'eval', 'test':
      values = scale * run.series(f'{split}/{metric}')[1]
      assert any(np.array_equal(values, y) for y in drawn), split


def test_curves_end_in_their_name_and_last_value(write_run):
  accuracy, loss, *rest = curves(read_run(write_run())).axes
  assert 'validation 98.00' in texts(accuracy)
  assert 'train 97.75' in texts(accuracy)
  assert 'test 0.123' in texts(loss)
  assert [texts(axes)[-1] for axes in rest] == [
    '0',
    '24 pixels',
    '1,040 images/s',
  ]


def test_the_accuracy_axis_holds_all_ends(write_run):
  run = read_run(write_run())
  row = run.rows[-1] | {'test/top1': 0.62}
  low, high = (
    curves(dataclasses.replace(run, rows=[*run.rows[:-1], row]))
    .axes[0]
    .get_ylim()
  )
  assert (low, high) == (50, 100)


def test_the_accuracy_axis_starts_near_good_validations(write_run):
  run = read_run(write_run(finished=False))
  assert curves(run).axes[0].get_ylim() == (90, 100)


def test_what_was_not_logged_has_no_panel(write_run):
  run = read_run(write_run(finished=False))
  rows = [{'step': r['step'], 'lr': r['lr']} for r in run.rows if 'lr' in r]
  (axes,) = curves(dataclasses.replace(run, rows=rows)).axes
  assert 'Learning rate' in texts(axes)
  assert axes.get_xlabel() == 'training step'


@pytest.mark.parametrize('rows', [1, 2])
def test_the_first_rows_of_a_run_can_be_drawn(write_run, rows):
  run = read_run(write_run(finished=False))
  figure = curves(dataclasses.replace(run, rows=run.rows[:rows]))
  assert len(figure.axes) == len(PANELS) - 1
  ticks = figure.axes[-1].get_xticks()
  assert all(tick == int(tick) for tick in ticks)


def test_gradients_are_drawn_from_stem_to_head(write_run):
  run = read_run(write_run())
  norms = {'head': 4.0, 'stage2': 0.02, 'stem': 0.5, 'stage1': 0.1}
  rows = [
    {'step': 10 * n}
    | {f'train/gradient_norm/{k}': v / n for k, v in norms.items()}
    for n in (1, 2)
  ]
  (axes,) = curves(dataclasses.replace(run, rows=rows)).axes
  assert axes.get_yscale() == 'log'
  ticks = [tick.get_text() for tick in axes.get_yticklabels(which='both')]
  assert len(ticks) > 2 and not any('$' in text for text in ticks)
  assert [line.get_ydata()[-1] for line in axes.get_lines()] == [
    *(0.25, 0.05, 0.01, 2.0)
  ]
  ends = [t for t in texts(axes) if t.startswith(('st', 'head'))]
  assert sorted(ends) == ['head 2', 'stage1 0.05', 'stage2 0.01', 'stem 0.25']
