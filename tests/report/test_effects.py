"""Effects: pairs by seed, and Student's interval."""

import numpy as np
import pytest
from scipy import stats

from resflax.report.effects import draw_effects, effects

SCORES = {'base': [0.50, 0.52, 0.54], 'better': [0.53, 0.54, 0.58]}


def rows(scores=SCORES):
  return [
    {
      'label': label,
      'against': '' if label == 'base' else 'base',
      'fields': {'seed': seed},
      'test/top1': score,
    }
    for label, found in scores.items()
    for seed, score in enumerate(found)
  ]


def test_differences_are_paired_by_the_seed():
  base, better = effects(reversed_within_labels(rows()))
  assert (base.label, base.count, base.against) == ('base', 3, '')
  assert np.isnan(base.difference)
  assert better.mean == pytest.approx(55)
  expected = stats.ttest_rel(
    100 * np.array(SCORES['better']), 100 * np.array(SCORES['base'])
  ).confidence_interval(0.95)
  assert better.difference == pytest.approx(3)
  low, high = better.difference + np.array([-1, 1]) * better.half_width
  assert (low, high) == pytest.approx((expected.low, expected.high))
  assert better.is_resolved


def reversed_within_labels(found):
  return sorted(found, key=lambda row: (row['label'], -row['fields']['seed']))


def test_only_seeds_that_both_have_count():
  _, better = effects(rows({**SCORES, 'better': [0.6]}))
  assert (better.count, better.difference) == (1, pytest.approx(10))
  assert np.isnan(better.half_width) and not better.is_resolved
  assert better.points == '+10.00 (one seed)'


def test_equal_differences_of_two_seeds_resolve_nothing():
  _, better = effects(rows({'base': [0.5, 0.6], 'better': [0.53, 0.63]}))
  assert better.half_width == pytest.approx(0) and not better.is_resolved


def test_without_a_common_seed_nothing_is_said_or_drawn():
  base = rows({'base': [0.5]})
  [other] = rows({'other': [0.6]})
  found = effects([*base, {**other, 'fields': {'seed': 1}}])
  assert [effect.points for effect in found] == ['', '']
  (axes,) = draw_effects(found).figure.axes
  assert not axes.get_yticklabels()


def test_what_a_paper_has_stands_beside():
  found = rows()
  for row in found:
    if row['label'] == 'better':
      row['published'] = 1.3
  base, better = effects(found)
  assert better.is_published and better.published == 1.3
  assert not base.is_published
  (axes,) = draw_effects([base, better]).axes
  assert any(np.allclose(line.get_xdata(), [1.3]) for line in axes.get_lines())
  assert 'diamonds: published' in axes.get_xlabel()
  (axes,) = draw_effects(effects(rows())).axes
  assert 'published' not in axes.get_xlabel()


def test_the_figure_holds_a_row_a_difference():
  figure = draw_effects(effects(rows({**SCORES, 'one': [0.6]})))
  (axes,) = figure.axes
  names = [tick.get_text() for tick in axes.get_yticklabels()]
  assert names == ['better against base', 'one against base']
  drawn = [line.get_xdata() for line in axes.get_lines()]
  assert any(np.allclose(x, [3]) for x in drawn)
